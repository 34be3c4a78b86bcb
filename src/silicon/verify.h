// `presil verify silicon`: measured rows in, errors out.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "silicon/score.h"

namespace presil::silicon {

struct SiliconRequest {
  std::filesystem::path data;  // a folder; empty: home/data/silicon
  std::int64_t sample = 0;     // rows at most; 0: all
  double min_latency_us = 20;
  int folds = 0;               // 0: with the constants of software/constants.yaml
  std::string leave_out_chip;  // "": none
  bool fit = false;            // on the data, instead of reading constants
  std::filesystem::path out;   // where fitted constants go; empty: nowhere
  bool write_docs = false;
  std::filesystem::path expect, write_expected;  // see expected.h
};

struct SiliconReport {
  Scoreboard board;
  Skipped skipped;
  std::vector<std::string> fitted_on, notes;
  std::vector<std::string> worse;    // than expected: a line a group
  std::vector<std::string> written;  // files
};

/// `home` is where chips/, software/ and docs/ are. Throws InputError and MissingInput for options
/// that exclude each other and for files that are wrong or not there.
SiliconReport verify_silicon(const SiliconRequest& request, const std::filesystem::path& home);

}  // namespace presil::silicon

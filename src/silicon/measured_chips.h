// The chips that rows were measured on, by the names that the data call them.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "chip/library.h"
#include "kernels/machine.h"
#include "silicon/dram_times.h"

namespace presil::silicon {

struct MeasuredChip {
  explicit MeasuredChip(ChipFiles chip_files);

  ChipFiles files;
  kernels::Machine machine;
  std::unique_ptr<DramTimes> dram;

  /// Whether its kernels are a library's, timed by laws.
  bool has_laws() const { return files.chip.core.matrix.issue != Issue::none; }
};

class MeasuredChips {
 public:
  /// `home` is where chips/ is.
  explicit MeasuredChips(std::filesystem::path home) : home_(std::move(home)) {}

  /// The chip whose file is called `name` or has it as an alias; nullptr when there is none.
  /// Throws InputError for a file that is wrong. Not to be called from several threads.
  MeasuredChip* find(const std::string& name);

 private:
  const std::filesystem::path home_;
  std::map<std::string, std::unique_ptr<MeasuredChip>> found_;  // by name in the data
};

}  // namespace presil::silicon

// The scoreboard: how far predictions are from measured kernels, group by group.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "silicon/predict.h"

namespace presil::silicon {

/// Errors in percent of the measured time; a bias is the mean with its sign.
struct Errors {
  std::int64_t rows = 0;
  double mape = 0, median_ape = 0, p90_ape = 0, bias = 0;
  double roofline_mape = 0;  // of the three-constant roofline on the same rows
};

/// Groups are disjoint, and together all rows.
struct Score {
  std::string op;    // the stem of the data's file
  std::string kind;  // of a collective
  std::string chip, dtype, kv_dtype, backend;
  /// What bounds the kernel, as predicted: launch, memory, compute or link; "host" where the
  /// host's time was measured. A decode group begins with "long" for contexts from 1,024 on, else
  /// with "short". Shorter rows stand apart: "memory, under 20 us".
  std::string regime;
  Errors errors;
  std::int64_t skipped = 0;  // rows like these that cannot be predicted
};

/// Rows of at least the least latency, without those of hosts; of decode, long contexts alone.
struct Headline {
  std::string op, dtype;  // bf16 with fp16; "bf16/fp8" with a cache of its own type; "all"
  Errors errors;
  int chips = 0;
  double mean_over_chips = 0;  // of the chips' mape
};

struct Scoreboard {
  std::vector<Score> scores;
  std::vector<Headline> headline;
};

/// Cases whose prediction is NaN are left out; rows under `min_latency_us` stand in groups of
/// their own.
Scoreboard score(const Cases& cases, const Predictions& predictions, double min_latency_us);

}  // namespace presil::silicon

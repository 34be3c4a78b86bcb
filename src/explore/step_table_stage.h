// The step table of one stage of a pipeline; of one chip of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "explore/deployment.h"
#include "explore/step_table_cells.h"
#include "serving/step_cost.h"

namespace presil {

/// One chip's share of a step, at the clock that its power limit allows.
struct StageCost {
  double seconds = 0;
  double joules = 0;
  double dram_bytes = 0;
  double flops = 0;
};

/// The attention of a step is timed as
///
///   decode(n, K, w)         of n sequences that decode with K tokens in the cache, the longest of
///                           which has w times their mean
///   prefill(p, P, c)        of p sequences with P new tokens, after c tokens each
///   mixed(n, K, P, c, w)    of both in one kernel, with one such prompt; each more adds what it
///                           adds to prefill
///
/// or where they have a kernel each, decode + prefill.
///
/// Beside it there are tokens(T), the kernels over all new tokens, and sequences(S), the head and
/// what follows it. The clock is that at which the whole step stays within the power limit.
class StageTable {
 public:
  StageTable(const Deployment& deployment, std::size_t stage, std::int64_t decode_tokens);

  /// `step` is that of one data-parallel group.
  StageCost cost(const serving::StepFeatures& step) const;

  double standing_w() const { return power_.standing_w; }
  std::size_t points() const;

 private:
  struct Power {
    double standing_w = 0, active_w = 0, limit_w = 0;
    double slow_clock = 1, lowest_clock = 1;
  };
  struct Filling;
  explicit StageTable(const Filling& filling);

  PartCost attention(const serving::StepFeatures& step) const;
  StageCost at_sustained_clock(const PartCost& cost) const;

  Power power_;
  CellTable tokens_, sequences_, decode_, prefill_;
  std::optional<CellTable> mixed_;  // where sequences that read and that decode share a kernel
};

}  // namespace presil

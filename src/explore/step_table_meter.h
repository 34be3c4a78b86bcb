// Measures steps for a step table: what of a step's cost depends on its tokens alone, what on the
// number of its sequences, and what on how they attend.
#pragma once

#include <cstddef>
#include <vector>

#include "explore/deployment.h"
#include "explore/step_table_cost.h"
#include "program/bind.h"

namespace presil {

struct StepParts {
  PartCost tokens;     // kernels over all new tokens
  PartCost sequences;  // kernels over one row a sequence: the head, and what draws the token
  PartCost attention;  // all else: attention, and kernels for prefill or decode only

  PartCost whole() const { return tokens + sequences + attention; }
};

/// Times steps on one stage of a deployment, by the function that `run` times them by. Of many like
/// layers it runs the first few: the later of them stand for the rest.
///
/// A library's kernels wait for all of their traffic and each has its own time, whatever ran before
/// it: there one layer stands for all, and attention can be timed without the rest.
class StepMeter {
 public:
  /// `deployment` outlives the meter.
  StepMeter(const Deployment& deployment, std::size_t stage);

  /// Of a step of at least one sequence; any thread may call this.
  StepParts measure(const Step& step) const;
  /// Its attention alone. Requires that kernels stand alone.
  PartCost measure_attention(const Step& step) const;
  /// Whether a kernel takes as long as it does alone.
  bool kernels_stand_alone() const { return kernels_stand_alone_; }

  /// Below one where a part of some step may draw more than the power limit at the full clock.
  double slow_clock() const { return slow_clock_; }
  /// Of one chip: drawn always, and while it runs at the full clock on top of that.
  double standing_w() const { return standing_w_; }
  double active_w() const;
  double limit_w() const;
  double lowest_clock() const;

 private:
  Timeline time(const BoundProgram& bound, double clock) const;
  StepParts measure_at(const BoundProgram& bound, double clock) const;
  StepParts measure_at_clocks(const BoundProgram& bound) const;
  BoundProgram bound_to(const Step& step) const;
  /// Leaves a few layers of each kind in the program.
  void cut();
  double power_of(const PartCost& part) const;
  /// The slow clock and the standing power, from a few heavy steps.
  void find_power();

  const Deployment& deployment_;
  const MemoryFlow flow_;
  const bool kernels_stand_alone_;
  /// Of blocks with like kernels.
  struct Kind {
    std::int64_t layers = 0, run = 0;  // of the whole program, and of this one
  };
  /// Of a block's layers.
  struct Origin {
    std::size_t kind = 0;
    std::int64_t before = 0;  // of the kind, in earlier blocks
  };
  Program program_;  // with few layers
  std::vector<Kind> kinds_;
  std::vector<Origin> origins_;  // by block
  double slow_clock_ = 1;
  double standing_w_ = 0;
};

}  // namespace presil

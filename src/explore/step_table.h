// The costs of a replica's steps, looked up: a table filled by the function that `run` times steps
// by. docs/step_cost.md says how it is cut and how exact it is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "explore/deployment.h"
#include "explore/step_table_stage.h"
#include "serving/step_cost.h"

namespace presil {

class StepTable : public serving::StepCosts {
 public:
  /// Fills it on all threads: the same table on any number of them. A sequence that decodes has
  /// `decode_tokens` new ones: 1, or with speculation as many as are checked at once.
  explicit StepTable(const Deployment& deployment, std::int64_t decode_tokens = 1);

  serving::StepCost cost(const serving::StepFeatures& step) const override;

  /// Steps that were timed for it.
  std::size_t points() const;

 private:
  std::vector<std::shared_ptr<const StageTable>> stages_;  // like stages share one
  double chips_of_stage_ = 1;
  std::int64_t groups_ = 1;  // data-parallel ones, which share a step's sequences
};

}  // namespace presil

// The costs of a device's steps and of its cloud's: few kinds of steps, each timed once, by the
// function that `run` times steps by.
//
// Sizes are padded as the graphs that NPUs run are: new tokens to the next power of two up to 128
// and to the next eighth of one above; contexts to powers of two and the middle between two, 64 at
// least. So a cost is that of a step that really was timed, a little longer than the one asked for,
// and nothing is interpolated.
#pragma once

#include <map>
#include <mutex>
#include <tuple>

#include "explore/deployment.h"
#include "serving/step_cost.h"

namespace presil {

std::int64_t padded_tokens(std::int64_t tokens);
std::int64_t padded_context(std::int64_t tokens);

class PaddedCosts : public serving::StepCosts {
 public:
  /// `deployment` outlives it.
  explicit PaddedCosts(const Deployment& deployment) : deployment_(deployment) {}

  /// At most one sequence reads; those that decode have the mean of their contexts and one new
  /// token each. Throws InputError for a step that cannot run.
  serving::StepCost cost(const serving::StepFeatures& step) const override;

  /// Steps that were timed so far.
  std::size_t points() const;

 private:
  using Key = std::tuple<std::int64_t, std::int64_t, std::int64_t, std::int64_t>;

  const Deployment& deployment_;
  mutable std::mutex mutex_;
  mutable std::map<Key, serving::StepCost> known_;
};

}  // namespace presil

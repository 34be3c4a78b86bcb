// The service behind the network, as one request of many sees it: it waits, and shares every step
// with a batch that decodes.
#pragma once

#include "serving/device/spec.h"
#include "serving/step_cost.h"

namespace presil::serving {

/// What one request takes of the service.
struct CloudWork {
  Nanoseconds time;
  double energy_j = 0;  // its share of the steps', by tokens
};

class Cloud {
 public:
  /// `costs` outlives it.
  Cloud(const CloudSpec& spec, const StepCosts& costs) : spec_(spec), costs_(costs) {}

  /// Reads a prompt of `tokens` after `context`, in chunks; the first token is there at the end.
  /// Requires tokens > 0.
  CloudWork read(std::int64_t tokens, std::int64_t context) const;
  /// A token more of a sequence that decodes.
  CloudWork write(std::int64_t context) const;
  /// One step over a draft and a token more, which is the work of reading as many.
  CloudWork check(std::int64_t drafted, std::int64_t context) const;

 private:
  CloudWork step(StepFeatures features, std::int64_t own_tokens) const;

  CloudSpec spec_;
  const StepCosts& costs_;
};

}  // namespace presil::serving

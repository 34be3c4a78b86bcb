#include "serving/engine/scheduler.h"

#include <algorithm>

#include "serving/engine/continuous.h"
#include "serving/engine/static_batches.h"

namespace presil::serving {

std::int64_t longest_kv(const Request& request, const EngineOptions& options) {
  if (options.role == Role::prefill) return request.prompt_tokens;
  // The last token written is never read.
  const std::int64_t tokens = request.prompt_tokens + request.output_tokens - 1;
  return std::min(tokens + options.speculation.tokens, options.max_model_len);
}

std::unique_ptr<Scheduler> make_scheduler(const EngineOptions& options) {
  switch (options.batching) {
    case Batching::continuous:
      return std::make_unique<ContinuousScheduler>(options);
    case Batching::static_batches:
      return std::make_unique<StaticScheduler>(options);
  }
  return nullptr;
}

}  // namespace presil::serving

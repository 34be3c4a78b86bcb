#include "explore/run_request.h"

#include <string_view>

#include <fmt/format.h>

#include "base/error.h"

namespace presil {

void check_request(const RunRequest& r) {
  const auto positive = [](std::int64_t value, std::string_view option) {
    if (value < 1) throw InputError(fmt::format("{}: expected 1 or more, found {}", option, value));
  };
  positive(r.batch, "--batch");
  positive(r.prompt_tokens, "--prompt-tokens");
  positive(r.max_tokens, "-n");
  positive(r.tensor_parallel, "--tp");
  positive(r.pipeline_parallel, "--pp");
  positive(r.data_parallel, "--dp");
  positive(r.expert_parallel, "--ep");
  for (const std::int64_t tokens : r.prompts) positive(tokens, "--prompt-tokens");
  constexpr std::int64_t kLargestBatch = 65536;
  if (r.batch > kLargestBatch) {
    throw InputError(fmt::format("--batch: expected at most {}, found {}", kLargestBatch, r.batch));
  }
  if (r.kv_page < 0) {
    throw InputError(fmt::format("--kv-page: expected 0 or more, found {}", r.kv_page));
  }
  if (r.microbatches < 0) {
    throw InputError(fmt::format("--microbatches: expected 0 or more, found {}", r.microbatches));
  }
  std::vector<std::int64_t> contexts = r.contexts;
  contexts.push_back(r.context);
  for (const std::int64_t context : contexts) {
    if (context < 0) {
      throw InputError(fmt::format("--context: expected 0 or more, found {}", context));
    }
  }
  const bool split = r.pipeline_parallel > 1 || r.data_parallel > 1 || r.expert_parallel > 1 ||
                     r.sequence_parallel;
  if (split && r.mode != Mode::cycles) {
    throw InputError(
        "values are not run over --pp, --dp, --ep and --sequence-parallel yet: give --mode cycles");
  }
  const CompareRequest& c = r.compare;
  if (c.with.empty() && (!c.text.empty() || c.layers || c.tokens != 0)) {
    throw InputError("--text, --tokens and --layers are for --compare: say with which numerics");
  }
  if (!c.with.empty() && r.mode == Mode::cycles) {
    throw InputError("--compare needs values: give --mode values, or a --prompt");
  }
  if (c.tokens < 0)
    throw InputError(fmt::format("--tokens: expected 0 or more, found {}", c.tokens));
  if (c.text.empty() && c.tokens != 0)
    throw InputError("--tokens cuts a --text, and there is none");
  check_sampling(r.sampling);
  if (!r.prompt && r.sampling != SamplingOptions{.seed = r.sampling.seed}) {
    throw InputError("--temperature and its filters are for a --prompt");
  }
  const bool reads_text = !c.text.empty() && r.mode == Mode::values;
  if (r.mode != Mode::cycles && !r.prompt && !reads_text) {
    throw InputError(
        "--mode values and --mode both need a --prompt (values alone: or --compare and --text)");
  }
  if (r.mode == Mode::cycles && r.prompt) {
    throw InputError(
        "--mode cycles reads no --prompt: give --prompt-tokens and --context, or another --mode");
  }
  if (r.prompt && r.prompt->empty()) throw InputError("--prompt: expected a text, found none");
  if (r.prompt && r.batch != 1) {
    throw InputError("--prompt runs one sequence; --batch is for runs without text");
  }
}

}  // namespace presil

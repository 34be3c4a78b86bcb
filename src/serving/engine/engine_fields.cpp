#include "serving/engine/engine_fields.h"

namespace presil::serving {
namespace {

constexpr Choice<Batching> kBatching[] = {{"continuous", Batching::continuous},
                                          {"static", Batching::static_batches}};
constexpr Range kTokens{1, static_cast<double>(kMaxTokens)};

Speculation read_speculation(Fields& f) {
  Speculation s;
  s.tokens = f.integer("num_speculative_tokens", "tokens that the draft proposes a step", {1, 64});
  s.acceptance = f.number("acceptance",
                          "chance that a proposed token is right when those before it are", {0, 1});
  s.draft = f.text_or("draft", "the model that proposes; none: proposals cost nothing", "");
  return s;
}

}  // namespace

EngineOptions read_engine(Fields& f) {
  EngineOptions e;
  e.batching = f.choice_or<Batching>("batching", "requests join at every step, or batch by batch",
                                     kBatching, e.batching);
  e.max_num_seqs = f.integer_or("max_num_seqs", "sequences that run at once", e.max_num_seqs,
                                {1, static_cast<double>(kMaxSequences)});
  e.max_num_batched_tokens =
      f.integer_or("max_num_batched_tokens", "tokens of a step", e.max_num_batched_tokens, kTokens);
  e.max_model_len = f.integer_or("max_model_len", "prompt and output of a request, at most",
                                 e.max_model_len, kTokens);
  e.block_size = f.integer_or("block_size", "tokens of a KV block", e.block_size, kTokens);
  e.num_blocks = f.integer_or("num_gpu_blocks_override", "KV blocks; 0: what fits the memory",
                              e.num_blocks, {0, static_cast<double>(kMaxBlocks)});
  e.gpu_memory_utilization =
      f.number_or("gpu_memory_utilization", "share of the memory for weights, workspace and KV",
                  e.gpu_memory_utilization, {0.01, 1});
  e.chunked_prefill = f.flag_or("enable_chunked_prefill", "prompts are read in pieces if need be",
                                e.chunked_prefill);
  e.prefix_caching =
      f.flag_or("enable_prefix_caching", "blocks of equal text are shared", e.prefix_caching);
  e.speculation =
      f.maybe_map("speculative", "speculative decoding", read_speculation).value_or(Speculation{});

  const bool continuous = e.batching == Batching::continuous;
  f.require(e.chunked_prefill || !continuous || e.max_num_batched_tokens >= e.max_model_len,
            "max_num_batched_tokens",
            "without chunked prefill a step must hold the longest prompt: at least max_model_len");
  f.require(continuous || e.speculation.tokens == 0, "speculative",
            "static batches write one token a step");
  return e;
}

}  // namespace presil::serving

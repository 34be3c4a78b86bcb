// Attention as GPU libraries run it: many new tokens a sequence (prefill), or one (decode).
#pragma once

#include <cstdint>
#include <span>

#include "base/number_format.h"
#include "kernels/constants.h"
#include "kernels/law.h"
#include "kernels/machine.h"

namespace presil::kernels {

/// Sequences that are alike.
struct AttentionGroup {
  std::int64_t batch = 1;
  std::int64_t seq = 1;      // new tokens of each
  std::int64_t context = 0;  // tokens before them
};

/// One call over any mix of sequences. Heads are those of one chip.
struct AttentionCall {
  std::span<const AttentionGroup> groups;
  std::int64_t heads = 1, kv_heads = 1, head_dim = 128;
  std::int64_t window = 0;  // keys a query sees; 0: all
  bool both_ways = false;   // later ones, too
  Format multiply = Format::bf16;
  Format cache = Format::bf16;
};

LawInfo prefill_law();
LawInfo decode_law();

/// The kernel class an engine takes for a call on a generation of tensor cores, the `kernel` of a
/// Situation: from its rules, not from measured rows' names.
std::string prefill_kernel(std::string_view engine, std::string_view generation,
                           const AttentionCall& call);
std::string decode_kernel(std::string_view engine, std::string_view generation,
                          const AttentionCall& call);

/// "bf16", "fp8", or with a cache of another format "bf16/fp8".
std::string attention_type(Format multiply, Format cache);

/// Where a call's constants are looked up: its type as above, its kernel the class above that.
Situation attention_situation(std::string_view engine, std::string_view generation,
                              const AttentionCall& call, bool decode);

Traffic prefill_traffic(const AttentionCall& call, const Machine& machine, Residency residency);
Terms prefill_terms(const AttentionCall& call, const Machine& machine, const Situation& situation,
                    Constants constants, double dram_us);

/// `kernel` is decode_kernel's answer: kernels round windows and share the cache differently.
Traffic decode_traffic(const AttentionCall& call, const Machine& machine, Residency residency,
                       std::string_view kernel);
Terms decode_terms(const AttentionCall& call, const Machine& machine, const Situation& situation,
                   Constants constants, double dram_us);

}  // namespace presil::kernels

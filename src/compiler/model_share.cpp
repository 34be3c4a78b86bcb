#include "compiler/model_share.h"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>

#include "base/error.h"

namespace presil {
namespace {

[[noreturn]] void refuse(const std::string& why) {
  throw InputError(why);
}

void check_positive(std::int64_t chips, std::string_view option) {
  if (chips < 1) refuse(fmt::format("{}: expected 1 or more, found {}", option, chips));
}

void check_divides(std::string_view option, std::int64_t chips, std::int64_t count,
                   std::string_view what, const std::string& whose) {
  if (count % chips == 0) return;
  refuse(fmt::format("{} {} does not divide the {} {} of {}", option, chips, count, what, whose));
}

void check_link(const Chip& chip, std::string_view option, std::int64_t chips) {
  const std::int64_t group = chip.link ? chip.link->max_group : 1;
  if (chips > group && !chip.scale_out) {
    refuse(
        fmt::format("{} {}: {} joins at most {} chips (link.max_group); --network NAME joins more",
                    option, chips, chip.name, group));
  }
}

void check_tensor_parallel(const Architecture& model, const Chip& chip, std::int64_t chips) {
  check_positive(chips, "--tp");
  check_link(chip, "--tp", chips);
  const auto divides = [&](std::int64_t count, std::string_view what) {
    check_divides("--tp", chips, count, what, model.name);
  };
  divides(model.n_heads, "attention heads");
  divides(model.d_ff, "columns of d_ff");
  divides(model.vocab_size, "rows of the vocabulary");
  // Fewer KV heads than chips: each is kept by several chips, as serving engines do.
  if (model.n_kv_heads >= chips) divides(model.n_kv_heads, "KV heads");
  if (model.experts.shared_d_ff > 0)
    divides(model.experts.shared_d_ff, "columns shared by experts");
}

void check_experts(const Architecture& model, const Chip& chip, const CompileOptions& o) {
  const std::int64_t ep = o.expert_parallel;
  const std::int64_t tp = o.tensor_parallel;
  check_positive(ep, "--ep");
  if (o.expert_imbalance < 1) {
    refuse(fmt::format("--expert-imbalance: expected 1 or more, found {}", o.expert_imbalance));
  }
  if (model.experts.count == 0) {
    if (ep > 1) refuse(fmt::format("--ep {}: {} has no experts", ep, model.name));
    return;
  }
  check_link(chip, "--ep", ep);
  check_divides("--ep", ep, model.experts.count, "experts", model.name);
  if (ep < tp) {
    if (tp % ep != 0) refuse(fmt::format("--ep {} does not divide --tp {}", ep, tp));
    check_divides("--tp over --ep,", tp / ep, model.experts.d_ff, "columns of an expert",
                  model.name);
  } else if (ep % tp != 0 || o.data_parallel % (ep / tp) != 0) {
    refuse(fmt::format(
        "--ep {}: expected a divisor of --tp {}, or a multiple that divides --tp x --dp, {}", ep,
        tp, tp * o.data_parallel));
  }
}

void check_stages(const Architecture& model, const Chip& chip, const CompileOptions& o) {
  check_positive(o.pipeline_parallel, "--pp");
  check_positive(o.data_parallel, "--dp");
  if (o.pipeline_parallel > model.n_layers) {
    refuse(fmt::format("--pp {}: more stages than the {} layers of {}", o.pipeline_parallel,
                       model.n_layers, model.name));
  }
  // A stage sends to the next one, which is another group of chips.
  const std::int64_t joined = chip.link ? chip.link->max_group : 1;
  if (o.pipeline_parallel > 1 && 2 * o.tensor_parallel > joined && !chip.scale_out) {
    refuse(
        fmt::format("--pp {}: two stages are {} chips, and {} joins at most {} (link.max_group); "
                    "--network NAME joins more",
                    o.pipeline_parallel, 2 * o.tensor_parallel, chip.name, joined));
  }
  if (o.sequence_parallel && o.tensor_parallel == 1) {
    refuse("--sequence-parallel spreads tokens over a tensor group: give --tp as well");
  }
}

/// Layers left over go to the last stages but the very last, which has the head: vLLM's rule
/// (get_pp_indices).
void deal_layers(std::int64_t layers, const CompileOptions& o, ModelShare& share) {
  const std::int64_t each = layers / o.pipeline_parallel, left = layers % o.pipeline_parallel;
  const std::int64_t first_longer = o.pipeline_parallel - 1 - left;
  const std::int64_t longer_before = std::clamp<std::int64_t>(o.stage - first_longer, 0, left);
  const bool longer = o.stage >= first_longer && o.stage + 1 < o.pipeline_parallel;
  share.layers = each + (longer ? 1 : 0);
  share.first_layer = each * o.stage + longer_before;
}

}  // namespace

ModelShare share_of(const Architecture& model, const Chip& chip, const CompileOptions& o) {
  check_tensor_parallel(model, chip, o.tensor_parallel);
  check_experts(model, chip, o);
  check_stages(model, chip, o);
  const std::int64_t tp = o.tensor_parallel;
  const std::int64_t ep = o.expert_parallel;
  ModelShare share;
  share.heads = model.n_heads / tp;
  share.kv_heads = std::max<std::int64_t>(1, model.n_kv_heads / tp);
  share.q_columns = share.heads * model.head_dim;
  share.kv_columns = share.kv_heads * model.head_dim;
  share.d_ff = model.d_ff / tp;
  share.vocab = model.vocab_size / tp;
  share.experts = model.experts.count / ep;
  share.expert_d_ff = model.experts.d_ff / std::max<std::int64_t>(1, tp / ep);
  share.shared_d_ff = model.experts.shared_d_ff / tp;
  share.joined = std::max<std::int64_t>(1, ep / tp);
  deal_layers(model.n_layers, o, share);
  return share;
}

}  // namespace presil

#include "compiler/model_share.h"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>

#include "base/error.h"

namespace presil {
namespace {

void check_split(const Architecture& model, const Chip& chip, std::int64_t chips) {
  const auto refuse = [](const std::string& why) { throw InputError(why); };
  if (chips < 1) refuse(fmt::format("--tp: expected 1 or more, found {}", chips));
  const std::int64_t group = chip.link ? chip.link->max_group : 1;
  if (chips > group && !chip.scale_out) {
    refuse(
        fmt::format("--tp {}: {} joins at most {} chips (link.max_group); --network NAME joins "
                    "more",
                    chips, chip.name, group));
  }
  const auto divides = [&](std::int64_t count, std::string_view what) {
    if (count % chips != 0) {
      refuse(
          fmt::format("--tp {} does not divide the {} {} of {}", chips, count, what, model.name));
    }
  };
  divides(model.n_heads, "attention heads");
  divides(model.d_ff, "columns of d_ff");
  divides(model.vocab_size, "rows of the vocabulary");
  // Fewer KV heads than chips: each is kept by several chips, as serving engines do.
  if (model.n_kv_heads >= chips) divides(model.n_kv_heads, "KV heads");
}

}  // namespace

ModelShare share_of(const Architecture& model, const Chip& chip, std::int64_t chips) {
  check_split(model, chip, chips);
  ModelShare share;
  share.heads = model.n_heads / chips;
  share.kv_heads = std::max<std::int64_t>(1, model.n_kv_heads / chips);
  share.q_columns = share.heads * model.head_dim;
  share.kv_columns = share.kv_heads * model.head_dim;
  share.d_ff = model.d_ff / chips;
  share.vocab = model.vocab_size / chips;
  return share;
}

}  // namespace presil

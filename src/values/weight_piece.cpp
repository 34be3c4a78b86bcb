#include "values/weight_piece.h"

#include <string>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.h"
#include "values/ggml/block_formats.h"

namespace presil {
namespace {

/// Into how many pieces of `wanted` an axis of `found` is cut; 0 when it does not fit.
std::int64_t pieces(std::int64_t found, std::int64_t wanted, const Architecture& model,
                    const Share& share) {
  if (found == wanted) return 1;
  if (found == wanted * share.ranks) return share.ranks;
  const bool is_kv_head = model.n_kv_heads < share.ranks && wanted == model.head_dim;
  return is_kv_head && found == wanted * model.n_kv_heads ? model.n_kv_heads : 0;
}

}  // namespace

WeightView piece_of_weight(const Weights& weights, const Tensor& wanted, std::int64_t layer,
                           const Share& share) {
  const std::string name = name_in_layer(wanted.name, layer);
  const std::int64_t rows = wanted.rows.scale;
  std::string shape = rows == 1 ? fmt::format("({})", wanted.columns)
                                : fmt::format("({}, {})", rows, wanted.columns);
  if (share.ranks > 1) shape += fmt::format(" on each of {} chips", share.ranks);
  const WeightTensor* found = weights.find(name);
  if (found == nullptr) {
    throw InputError(
        fmt::format("weights: no tensor '{}', which the program needs as {}", name, shape));
  }
  const bool is_vector = found->shape.size() == 1 && rows == 1;
  const bool has_shape = is_vector || found->shape.size() == 2;
  const std::int64_t found_rows = is_vector ? 1 : found->shape.front();
  const Architecture& model = weights.architecture();
  const std::int64_t down = has_shape ? pieces(found_rows, rows, model, share) : 0;
  const std::int64_t across =
      has_shape ? pieces(found->shape.back(), wanted.columns, model, share) : 0;
  if (down == 0 || across == 0) {
    throw InputError(fmt::format("weights: '{}': expected {} as in the program, found ({})", name,
                                 shape, fmt::join(found->shape, ", ")));
  }
  if (!is_weight_format(found->format)) {
    throw InputError(
        fmt::format("weights: '{}': {} is not supported yet", name, to_string(found->format)));
  }
  const WeightView whole(*found);
  const auto [row_unit, column_unit] = whole.cut_unit();
  const bool rows_are_whole = down == 1 || rows % row_unit == 0;
  if (!rows_are_whole || (across > 1 && wanted.columns % column_unit != 0)) {
    throw InputError(fmt::format(
        "weights: '{}': {} {} on each of {} chips are not whole blocks of {}, which "
        "are {}; a smaller --tp cuts fewer",
        name, rows_are_whole ? wanted.columns : rows, rows_are_whole ? "columns" : "rows",
        share.ranks, to_string(found->format), rows_are_whole ? column_unit : row_unit));
  }
  const auto mine = [&](std::int64_t of) { return share.rank * of / share.ranks; };
  return whole.part(mine(down) * rows, rows, mine(across) * wanted.columns, wanted.columns);
}

}  // namespace presil

// The products of a panel of weights with one row of activations: block_dot for sixteen rows of
// weights at once, bit for bit.
#pragma once

#include <cstdint>

#include "values/ggml/quantised_rows.h"
#include "values/ggml/weight_panel.h"

namespace presil {

/// sums[r] += block_dot(row r of the panel, activations), block by block in order. `format` is that
/// of the weights; the activations are in activation_format(format).
void panel_dot(Format format, const WeightPanel& panel, std::int64_t blocks,
               QuantisedRow activations, OfRows<float>& sums);

}  // namespace presil

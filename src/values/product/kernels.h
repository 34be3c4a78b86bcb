// The inner loops of products, on vectors.
//
// Lane n of a vector is output n of a panel, and an activation is multiplied with all of them at
// once. So every output is added in the order that plain_product.h says, whatever the width of the
// machine's vectors.
#pragma once

#include <cstdint>
#include <span>

#include "base/numerics.h"
#include "values/product/coded_rows.h"
#include "values/product/panel.h"
#include "values/product/segments.h"

namespace presil {

/// out (m, kPanelRows) = activations x panel^T, of the accumulators fp32 and aligned.
void multiply_panel(const Accumulator& accumulator, std::span<const Segment> segments,
                    const CodedRows& activations, const Panel& panel, std::span<float> out);

/// The same of int32; `whole` are the activations' codes.
void multiply_integers(std::span<const Segment> segments, const CodedRows& activations,
                       std::span<const std::int16_t> whole, const Panel& panel,
                       std::span<float> out);

}  // namespace presil

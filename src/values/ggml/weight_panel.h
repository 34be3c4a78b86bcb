// Sixteen rows of quantised weights taken apart, so that a vector holds one place of each row.
//
// Blocks are read as 32-bit words; word w of the sixteen rows lies together. All that follows, the
// decoding as well as the products, treats the rows alike and never looks across lanes: there is
// nothing to shuffle or to add up at the end, and the width of the vectors changes no bit.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/number_format.h"
#include "values/ggml/block_formats.h"
#include "values/panel_rows.h"

namespace presil {

inline constexpr std::int64_t kPanelColumns = 1024;

/// A number of each row.
template <class T>
using OfRows = std::array<T, kPanelRows>;

/// Up to kPanelColumns columns of sixteen rows. Codes are stored without a sign: code + zero point.
struct alignas(64) WeightPanel {
  std::array<OfRows<std::uint32_t>, kPanelColumns / 4> codes;  // four a word, the first lowest
  std::array<OfRows<float>, kPanelColumns / kSmallBlock> d;    // by block
  std::array<OfRows<float>, kPanelColumns / kSmallBlock> m;    // by block, if the format has it
  // Of large blocks. Scales by the group that has its own: 16 elements in q6_K, else 32.
  std::array<OfRows<std::int32_t>, kPanelColumns / kGroup> scales;
  std::array<OfRows<std::int32_t>, kPanelColumns / kSmallBlock> minima;
};

/// What is added to the codes of a format so that none is negative.
int zero_point(Format format);

/// The first bytes of each row's part.
using RowParts = std::array<const std::byte*, kPanelRows>;

/// Takes `blocks` blocks of each row apart. Requires one of ggml's formats of weights and blocks of
/// at most kPanelColumns elements together. A row may be there more than once. `ahead`, if not
/// null, is where as many bytes begin that will be wanted soon: they are fetched into caches.
void unpack_panel(Format format, const RowParts& rows, std::int64_t blocks, const std::byte* ahead,
                  WeightPanel& panel);

}  // namespace presil

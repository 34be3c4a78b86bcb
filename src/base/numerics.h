// Numerics: the arithmetic of a chip, as a description. What operands of products are stored and
// multiplied in, what shares a scale, how sums are kept, and what happens between products.
// docs/numerics.md says what each field does to the last bit.
//
// A file numerics/NAME.yaml describes one; a chip names its own; any field can be overridden.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/number_format.h"

namespace presil {

/// An operand of products: what its elements are rounded to, and what shares a scale.
struct Operand {
  Format format = Format::fp32;
  Scaling scaling = Scaling::none;
  friend bool operator==(const Operand&, const Operand&) = default;
};

/// How the products of one output element are added, along k.
///
/// The k axis of one core's share is cut into segments of `promote_every` elements (0: the tiles of
/// the program). A segment is summed from zero as `kind` says; its sum is then multiplied by the
/// scales that its operands share and added to an fp32 accumulator, in order. Segments also end
/// where a group_128 or block_128 scale ends.
struct Accumulator {
  enum class Kind {
    fp32,     // every product and every sum is an fp32 number
    int32,    // products of integers, exact
    aligned,  // `group` products and the running sum are shifted to the largest exponent among
              // them, cut to `bits` significant bits counted from it, and added exactly
  };
  enum class Rounding { nearest, truncate };  // of what alignment cuts; nearest: ties to even
  enum class Order {
    sequential,  // fp32: product after product, in the order of k
    tree,        // fp32: `group` products in a balanced tree (halves added), then to the sum
  };
  Kind kind = Kind::fp32;
  std::int64_t group = 1;  // products that are added at once: of tree and aligned
  std::int64_t bits = 24;  // of aligned
  Rounding rounding = Rounding::nearest;
  Order order = Order::sequential;
  std::int64_t promote_every = 0;
  friend bool operator==(const Accumulator&, const Accumulator&) = default;
};

/// What becomes of a number beyond the largest of its format.
enum class Overflow {
  saturate,  // the largest
  infinite,  // infinity; NaN in formats without one (fp8_e4m3); integers saturate all the same
};

/// The arithmetic of a matrix product.
struct ProductNumerics {
  std::optional<Operand> weights;      // nothing: as they are stored in their file
  std::optional<Operand> activations;  // nothing: as ggml quantises them for the weights' format
  Accumulator accumulator;
  Overflow overflow = Overflow::saturate;
  friend bool operator==(const ProductNumerics&, const ProductNumerics&) = default;
};

/// exp, 1/sqrt and the sigmoid: exact to fp32, or from tables as small engines have them.
struct VectorFunctions {
  enum class Kind { exact, table };
  Kind kind = Kind::exact;
  std::int64_t entries = 256;  // of a table over one binade, a power of two; between them linear
  friend bool operator==(const VectorFunctions&, const VectorFunctions&) = default;
};

struct Numerics {
  std::string name;
  ProductNumerics products;             // of the layers
  std::optional<ProductNumerics> head;  // of the last product, the logits; nothing: as the others
  Operand kv_cache;                     // token: one scale for each key or value of one head
  Format attention = Format::fp32;      // queries and probabilities, before they are multiplied
  Format stream = Format::fp32;         // activations between kernels, the residual stream too
  VectorFunctions functions;
  // SmoothQuant's alpha: activations of normed inputs are divided, channel by channel, by
  // max|activation|^alpha / max|weight|^(1 - alpha), and weights multiplied by it. 0: they are not.
  double smoothing = 0;
  friend bool operator==(const Numerics&, const Numerics&) = default;

  const ProductNumerics& of_head() const { return head ? *head : products; }
};

/// A field as files spell it ("head.accumulator.bits"), and why it cannot be as it is.
struct NumericsFault {
  std::string field;
  std::string why;
};

/// What of `n` contradicts itself or has no meaning: formats without the scale they need, scales on
/// the wrong operand, sums that their accumulator cannot hold. Nothing when `n` can be computed.
std::vector<NumericsFault> faults(const Numerics& n);

/// The fields of `a` that mean nothing for its kind ("bits" of kind fp32, ...).
std::vector<std::string_view> unused_fields(const Accumulator& a);

/// Plain formats that operands of products, caches, and numbers between kernels may have.
std::span<const Choice<Format>> operand_format_choices();
std::span<const Choice<Format>> cache_format_choices();
std::span<const Choice<Format>> stream_format_choices();

inline constexpr Choice<Accumulator::Kind> kAccumulatorKinds[] = {
    {"fp32", Accumulator::Kind::fp32},
    {"int32", Accumulator::Kind::int32},
    {"aligned", Accumulator::Kind::aligned},
};
inline constexpr Choice<Accumulator::Rounding> kRoundings[] = {
    {"nearest", Accumulator::Rounding::nearest},
    {"truncate", Accumulator::Rounding::truncate},
};
inline constexpr Choice<Accumulator::Order> kSumOrders[] = {
    {"sequential", Accumulator::Order::sequential},
    {"tree", Accumulator::Order::tree},
};
inline constexpr Choice<Overflow> kOverflows[] = {
    {"saturate", Overflow::saturate},
    {"infinite", Overflow::infinite},
};
inline constexpr Choice<VectorFunctions::Kind> kFunctionKinds[] = {
    {"exact", VectorFunctions::Kind::exact},
    {"table", VectorFunctions::Kind::table},
};

}  // namespace presil

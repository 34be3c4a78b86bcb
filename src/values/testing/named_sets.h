// For tests: the named sets of numerics, written down by hand as docs/numerics.md has them.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/testing/numerics.h"

namespace presil::testing {

/// bf16 numerics whose layers multiply in other formats.
inline Numerics with_products(std::string name, Operand weights, Operand activations,
                              Accumulator accumulator) {
  Numerics n = bf16_numerics();
  n.name = std::move(name);
  n.head = n.products;
  n.products = {weights, activations, accumulator};
  return n;
}

inline std::vector<Numerics> all_numerics() {
  using enum Format;
  using enum Scaling;
  using Kind = Accumulator::Kind;
  const auto tree = [](std::int64_t group) {
    return Accumulator{.group = group, .order = Accumulator::Order::tree};
  };
  const Accumulator integers{.kind = Kind::int32};
  const Accumulator hopper{.kind = Kind::aligned,
                           .group = 32,
                           .bits = 14,
                           .rounding = Accumulator::Rounding::truncate,
                           .promote_every = 128};
  Numerics mtia = with_products("int8-mtia", {int8, channel}, {int8, Scaling::token}, integers);
  mtia.head = std::nullopt;
  Numerics smooth = with_products("int8-smooth", {int8, channel}, {int8, Scaling::token}, integers);
  smooth.smoothing = 0.5;
  return {
      fp32_numerics(),
      ggml_numerics(),
      bf16_numerics(),
      with_products("fp8-hopper", {fp8_e4m3, block_128}, {fp8_e4m3, group_128}, hopper),
      with_products("fp8-blackwell", {fp8_e4m3, block_128}, {fp8_e4m3, group_128}, tree(32)),
      with_products("mxfp8", {fp8_e4m3, mx_32}, {fp8_e4m3, mx_32}, tree(32)),
      with_products("mxfp4", {fp4_e2m1, mx_32}, {fp4_e2m1, mx_32}, tree(32)),
      with_products("nvfp4", {fp4_e2m1, nv_16}, {fp4_e2m1, nv_16}, tree(16)),
      mtia,
      smooth,
      with_products("w4a16", {int4, group_128}, {bf16}, tree(16)),
  };
}

/// The one called `name`.
inline Numerics set_of(const std::string& name) {
  for (const Numerics& n : all_numerics()) {
    if (n.name == name) return n;
  }
  return {};
}

}  // namespace presil::testing

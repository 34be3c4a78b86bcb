#include "silicon/roofline.h"

#include <algorithm>
#include <string_view>

namespace presil::silicon {
namespace {

constexpr kernels::ConstantInfo kConstants[] = {
    {"launch_us", 5, 0, 200, kernels::kType, "paid once"},
    {"compute_share", 0.7, 0.01, 1.2, kernels::kType, "of the matrix engines' peak"},
    {"bandwidth_share", 0.7, 0.01, 1.2, kernels::kType, "of the memory's or the link's bandwidth"},
};

struct TypeSize {
  std::string_view name;
  Format multiply;
  double weight_bytes, input_bytes;  // of an element, scales included
};

constexpr double kMxScale = 1.0 / 32, kNvScale = 1.0 / 16, kBlockScale = 4.0 / 128;
constexpr TypeSize kTypes[] = {
    {"bf16", Format::bf16, 2, 2},
    {"fp16", Format::fp16, 2, 2},
    {"fp8", Format::fp8_e4m3, 1, 1},
    {"fp8_block", Format::fp8_e4m3, 1, 1 + kBlockScale},
    {"mxfp8", Format::fp8_e4m3, 1 + kMxScale, 1 + kMxScale},
    {"nvfp4", Format::fp4_e2m1, 0.5 + kNvScale, 0.5 + kNvScale},
    {"mxfp4", Format::fp4_e2m1, 0.5 + kMxScale, 0.5 + kMxScale},
    {"int4_wo", Format::fp16, 0.5, 2},
    {"int8_wo", Format::fp16, 1, 2},
    {"int8", Format::int8, 1, 1},
    {"sq", Format::int8, 1, 1},
};

/// An unknown name counts as 16 bits.
const TypeSize& type_called(std::string_view name) {
  const auto* found = std::find_if(std::begin(kTypes), std::end(kTypes),
                                   [&](const TypeSize& t) { return t.name == name; });
  return found == std::end(kTypes) ? kTypes[0] : *found;
}

double compute_us(double flops, Format format, const kernels::Machine& m) {
  double peak = m.peak_tflops(format);
  if (peak == 0) peak = m.peak_tflops(Format::bf16);
  return peak == 0 ? 0 : flops / peak / 1e6;
}

double dram_us(double bytes, const kernels::Machine& m) {
  return m.dram_gbs == 0 ? 0 : bytes / m.dram_gbs / 1e3;
}

Demand gemm_demand(const Row& row, const kernels::Machine& machine) {
  constexpr double kOutput = 2;  // bf16
  const TypeSize& type = type_called(row.dtype);
  const auto m = static_cast<double>(row.m), n = static_cast<double>(row.n),
             k = static_cast<double>(row.k);
  return {compute_us(2 * m * n * k, type.multiply, machine),
          dram_us(m * k * type.input_bytes + n * k * type.weight_bytes + m * n * kOutput, machine),
          0};
}

/// Causal: a new token sees the context and the new ones up to itself, `window` at most.
double pairs_of(double seq, double context, double window) {
  if (window <= 0 || context + seq <= window) return seq * context + seq * (seq + 1) / 2;
  // The first ones see fewer than the window.
  const double short_ones = std::clamp(window - context, 0.0, seq);
  return short_ones * context + short_ones * (short_ones + 1) / 2 + (seq - short_ones) * window;
}

Demand attention_demand(const Row& row, const kernels::Machine& machine) {
  const TypeSize& type = type_called(row.dtype);
  const double cache_bytes = type_called(row.kv_dtype).input_bytes;
  const auto batch = static_cast<double>(row.batch), heads = static_cast<double>(row.heads),
             kv_heads = static_cast<double>(row.kv_heads), dim = static_cast<double>(row.head_dim),
             window = static_cast<double>(row.window);
  const bool decode = row.op == MeasuredOp::attention_decode;
  const auto seq = static_cast<double>(decode ? 1 : row.seq);
  const auto context = static_cast<double>(row.context);
  const double keys = window > 0 ? std::min(context + seq, window + seq - 1) : context + seq;
  const double flops = 4 * batch * heads * dim * pairs_of(seq, context, window);
  const double bytes =
      batch * dim * (2 * heads * seq * type.input_bytes + 2 * kv_heads * keys * cache_bytes);
  return {compute_us(flops, type.multiply, machine), dram_us(bytes, machine), 0};
}

/// An all-reduce sends every byte twice but its own part; the others once.
Demand collective_demand(const Row& row, const kernels::Machine& machine) {
  const auto ranks = static_cast<double>(std::max<std::int64_t>(2, row.tp));
  const double times = row.kind == "send_recv"    ? 1
                       : row.kind == "all_reduce" ? 2 * (ranks - 1) / ranks
                                                  : (ranks - 1) / ranks;
  return {0, 0, machine.link_gbs == 0 ? 0 : times * row.bytes / machine.link_gbs / 1e3};
}

}  // namespace

Demand demand_of(const Row& row, const kernels::Machine& machine) {
  switch (row.op) {
    case MeasuredOp::gemm:
      return gemm_demand(row, machine);
    case MeasuredOp::attention_prefill:
    case MeasuredOp::attention_decode:
      return attention_demand(row, machine);
    case MeasuredOp::collective:
      return collective_demand(row, machine);
  }
  return {};
}

kernels::LawInfo roofline_law() {
  return {"roofline", kConstants};
}

double roofline_us(const Demand& d, kernels::Constants c) {
  return c[0] + std::max({d.compute_us / c[1], d.dram_us / c[2], d.link_us / c[2]});
}

}  // namespace presil::silicon

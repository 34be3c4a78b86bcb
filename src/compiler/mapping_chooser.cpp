#include "compiler/mapping_chooser.h"

#include <array>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "chip/engine_time.h"
#include "compiler/compile.h"

namespace presil {
namespace {

constexpr std::array<std::int64_t, 10> kRowBuckets = {1, 8, 16, 32, 64, 128, 256, 512, 1024, 2048};

/// What an engine may multiply numbers of `format` in: itself, then what holds them.
std::vector<Format> multipliers(Format format) {
  using enum Format;
  if (format == fp32 || format == tf32) return {format, format == fp32 ? tf32 : fp32, bf16, fp16};
  if (format == fp16) return {fp16, bf16, tf32, fp32};
  if (format == bf16) return {bf16, fp16, tf32, fp32};
  if (format == int4) return {int4, int8, bf16, fp16, tf32, fp32};
  if (format == fp4_e2m1) return {fp4_e2m1, fp8_e4m3, bf16, fp16, tf32, fp32};
  return {format, bf16, fp16, tf32, fp32};
}

/// The format in which weights kept in `weights` meet the activations of `numerics`.
Format meeting_format(const ProductNumerics& numerics, Format weights) {
  if (!numerics.activations) {  // ggml's: integers against blocks, else as they are stored
    return is_block_format(weights) ? Format::int8 : weights;
  }
  const Format activations = numerics.activations->format;
  // Activations without a scale: the weights are turned into their format. Else the wider of both.
  if (numerics.activations->scaling == Scaling::none) return activations;
  return bytes_of(activations, 2) > bytes_of(weights, 2) ? activations : weights;
}

}  // namespace

Format MappingChooser::multiplied_in(const std::vector<Format>& wanted,
                                     std::string_view kernel) const {
  const auto multiply = first_supported(chip_.core.matrix, wanted);
  if (multiply) return *multiply;
  std::vector<std::string_view> names;
  for (const Format f : wanted) names.push_back(to_string(f));
  throw InputError(fmt::format("{}: the matrix engine multiplies none of {} (wanted for {})",
                               chip_.name, fmt::join(names, ", "), kernel));
}

void MappingChooser::map_gemm(Kernel& kernel, GemmShape shape, const ProductNumerics& numerics) {
  kernel.multiply =
      multiplied_in(multipliers(meeting_format(numerics, shape.weights)), kernel.name);
  shape.multiply = kernel.multiply;
  shape.gated = kernel.epilogue == Epilogue::swiglu;
  const Finish finish = shape.gated                         ? Finish::gate
                        : kernel.epilogue == Epilogue::gelu ? Finish::gelu
                        : kernel.epilogue == Epilogue::add  ? Finish::add
                                                            : Finish::store;
  shape.vector = tile_vector(numerics, shape.weights, shape.multiply, finish);
  for (const std::int64_t rows : kRowBuckets) add_gemm_mapping(kernel, shape, rows, rows);
  add_gemm_mapping(kernel, shape, kLargestSearchedStep, kAnyRows);
}

void MappingChooser::add_gemm_mapping(Kernel& kernel, GemmShape shape, std::int64_t m,
                                      std::int64_t max_m) {
  shape.m = m;
  auto known = chosen_.find(shape);
  if (known == chosen_.end()) {
    known = chosen_.emplace(shape, choose_gemm_mapping(shape, chip_, dram_)).first;
  }
  Feasible<Mapping> mapping = known->second;
  if (!mapping) {
    infeasible_ = Infeasible{kernel.name + ": " + mapping.error().reason, mapping.error().remedy};
    return;
  }
  mapping->max_m = max_m;
  // A wider step that wants the same nest needs no entry of its own.
  std::vector<Mapping>& mappings = kernel.mappings;
  if (!mappings.empty() && mappings.back().loops == mapping->loops &&
      mappings.back().split_k == mapping->split_k && mappings.back().last_n == mapping->last_n &&
      mappings.back().buffers == mapping->buffers) {
    mappings.back().max_m = max_m;
  } else {
    mappings.push_back(std::move(*mapping));
  }
}

void MappingChooser::map_attention(Kernel& kernel, AttentionShape shape, Format format) {
  kernel.multiply = multiplied_in(multipliers(format), kernel.name);
  for (const std::int64_t queries : {std::int64_t{1}, kAnyRows}) {
    shape.queries = queries;
    auto mapping = choose_attention_mapping(shape, chip_);
    if (!mapping) {
      infeasible_ = mapping.error();
      return;
    }
    mapping->max_m = queries;
    kernel.mappings.push_back(std::move(*mapping));
  }
}

}  // namespace presil

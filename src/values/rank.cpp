#include "values/rank.h"

#include <algorithm>
#include <bit>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <tbb/parallel_invoke.h>

#include "values/gemm.h"
#include "values/number/codes.h"
#include "values/weight_piece.h"

namespace presil {
namespace {

/// Without a branch, so that it costs little beside the kernel: infinities and NaN have all bits of
/// the exponent set.
bool is_finite(std::span<const float> values) {
  constexpr std::uint32_t kExponent = 0x7F800000u;
  std::uint32_t largest = 0;
  for (const float v : values) {
    largest = std::max(largest, std::bit_cast<std::uint32_t>(v) & kExponent);
  }
  return largest < kExponent;
}

}  // namespace

Rank::Rank(const Program& program, const Weights& weights, const SessionOptions& options, int rank)
    : program_(program),
      model_(weights.architecture()),
      numerics_(program.numerics),
      options_(options),
      rope_layout_(weights.rope_layout()),
      rank_(rank),
      n_heads_(model_.n_heads / program.tensor_parallel),
      n_kv_heads_(std::max<std::int64_t>(1, model_.n_kv_heads / program.tensor_parallel)),
      functions_(program.numerics.functions) {
  resolve_weights(weights);
}

void Rank::resolve_weights(const Weights& weights) {
  views_.resize(program_.tensors.size());
  for (const Block& block : program_.blocks) {
    if (is_of_layers(program_, block)) {
      n_layers_ = std::max(n_layers_, block.first_layer + block.repeat);
    }
    for (const Kernel& kernel : block.kernels) {
      for (const int index : kernel.weights) {
        const Tensor& tensor = program_.tensor(index);
        auto& repetitions = views_[static_cast<std::size_t>(index)];
        for (auto i = std::ssize(repetitions); i < block.repeat; ++i) {
          WeightView view = piece_of_weight(weights, tensor, block.first_layer + i,
                                            {rank_, program_.tensor_parallel});
          if (options_.log != nullptr) {
            taps_.push_back({options_.log, &tensor, index, tensor.base + i * tensor.layer_stride});
            view.watch(&taps_.back());
          }
          repetitions.push_back(view);
        }
      }
    }
  }
}

void Rank::begin(const BoundProgram& bound, const StepState& state) {
  state_ = &state;
  const CacheRows empty(numerics_.kv_cache, n_kv_heads_, model_.head_dim);
  caches_.resize(state.step.sequences.size(),
                 std::vector<Cache>(static_cast<std::size_t>(n_layers_), {empty, empty}));
  if (options_.log != nullptr) watch_caches(bound);
  activations_.resize(program_.tensors.size());
  for (std::size_t i = 0; i < activations_.size(); ++i) {
    const Tensor& tensor = program_.tensors[i];
    if (tensor.role != Role::activation) continue;
    const std::int64_t row = tensor.rows.scale * tensor.columns;
    activations_[i].assign(state.rows(tensor.rows.symbol) * static_cast<std::size_t>(row), 0.0f);
  }
}

/// A step has its own places for the caches, as bind lays them out.
void Rank::watch_caches(const BoundProgram& bound) {
  const auto tap = [&](std::string_view name, std::size_t sequence, std::int64_t layer) {
    const int index = program_.find(name);
    const Tensor& tensor = program_.tensor(index);
    const std::int64_t base = bound.placements[static_cast<std::size_t>(index)].address +
                              bound.cache_offsets[sequence] + layer * bound.cache_layer_stride;
    return CacheTap{options_.log, index, base, tensor.bytes(tensor.rows.scale).count()};
  };
  for (std::size_t s = 0; s < caches_.size(); ++s) {
    for (std::int64_t layer = 0; layer < n_layers_; ++layer) {
      Cache& cache = caches_[s][static_cast<std::size_t>(layer)];
      cache.keys.watch(tap("k_cache", s, layer));
      cache.values.watch(tap("v_cache", s, layer));
    }
  }
}

void Rank::execute(const BoundKernel& kernel, const KernelPlace& place, std::int64_t layer) {
  const Kernel& k = *kernel.kernel;
  switch (k.op) {
    case Op::embed:
      run_embed(k);
      break;
    case Op::rmsnorm:
      run_norm(k, place.repetition);
      break;
    case Op::gemm:
      run_gemm(kernel, place.repetition, layer);
      break;
    case Op::rope:
      run_rope(k, place, layer);
      break;
    case Op::attention:
      run_attention(kernel, layer);
      break;
    case Op::all_reduce:
    case Op::all_gather:
    case Op::reduce_scatter:
    case Op::all_to_all:
    case Op::send_recv:
    case Op::argmax:
    case Op::sample:
      throw InternalError("values: a rank alone runs no collective and no argmax");
    case Op::top_k:
    case Op::dispatch:
    case Op::grouped_gemm:
    case Op::combine:
    case Op::convert:
      throw InternalError("values: experts and conversions of their own are not run");
  }
  for (const int output : k.outputs) {
    if (program_.tensor(output).role != Role::activation) continue;
    round_all(program_.tensor(output).format, Overflow::infinite, activation(output));
    check_finite(k, place, output, activation(output));
  }
}

void Rank::check_finite(const Kernel& kernel, const KernelPlace& place, int index,
                        std::span<const float> values) const {
  if (is_finite(values)) return;
  const Block& block = program_.blocks[place.block];
  const std::string where =
      is_of_layers(program_, block)
          ? fmt::format("{} {}", block.name, block.first_layer + place.repetition)
          : block.name;
  throw InputError(
      fmt::format("{}, {}: '{}' has numbers that are not finite; numerics {}, weights of '{}'",
                  where, kernel.name, program_.tensor(index).name, numerics_.name, program_.model));
}

const ProductNumerics& Rank::numerics_of(const Kernel& product) const {
  const bool in_layers = is_in_layers(program_.tensor(product.weights.front()).name);
  return in_layers ? numerics_.products : numerics_.of_head();
}

std::span<const PreparedWeight> Rank::prepared(const Kernel& product, std::int64_t repetition,
                                               std::span<const float> divisors) {
  std::vector<PreparedWeight>& weights = prepared_[{&product, repetition}];
  if (weights.empty()) {
    for (const int index : product.weights) {
      weights.emplace_back(weight(index, repetition), numerics_of(product), divisors);
    }
  }
  return weights;
}

const Kernel* Rank::product_of_table(int table) const {
  for (const Kernel& kernel : program_.blocks.back().kernels) {
    if (kernel.op == Op::gemm && kernel.weights.front() == table) return &kernel;
  }
  return nullptr;
}

/// A table that is the last product's too is stored as that product wants it. Otherwise it is
/// stored as activations are, to which the results are rounded.
void Rank::run_embed(const Kernel& kernel) {
  const int table = kernel.weights.front();
  const WeightView& view = weight(table, 0);
  const Kernel* product = product_of_table(table);
  RowOfTable row_of = [&](std::int64_t row, std::span<float> out) {
    view.to_floats(row, view.row(row), out);
  };
  if (product != nullptr && numerics_of(*product).activations) {
    const PreparedWeight& stored = prepared(*product, 0).front();
    row_of = [&](std::int64_t row, std::span<float> out) {
      const auto span = static_cast<std::size_t>(scale_span(stored.scaling(), view.columns()));
      std::vector<float> scales((out.size() + span - 1) / span);
      stored.code_row(row, view.row(row), out, scales);
      for (std::size_t i = 0; i < out.size(); ++i) out[i] *= scales[i / span];
    };
  }
  embed(row_of, rank_ * view.rows(), view.rows(), state_->tokens,
        activation(kernel.outputs.front()));
}

void Rank::run_norm(const Kernel& kernel, std::int64_t repetition) {
  const std::vector<float>& in = activation(kernel.inputs.front());
  std::vector<float>& out = activation(kernel.outputs.front());
  const std::vector<float> scales = load_vector(weight(kernel.weights.front(), repetition));
  const std::size_t width = scales.size();
  const auto normalise = [&](std::size_t from, std::size_t to) {
    rmsnorm(functions_, std::span(in).subspan(from * width, width), scales,
            static_cast<float>(model_.norm_eps), std::span(out).subspan(to * width, width));
  };
  if (out.size() < in.size()) {
    const std::vector<std::size_t> last = state_->last_tokens();
    for (std::size_t s = 0; s < last.size(); ++s) normalise(last[s], s);
  } else {
    for (std::size_t t = 0; t < state_->tokens.size(); ++t) normalise(t, t);
  }
}

void Rank::run_gemm(const BoundKernel& kernel, std::int64_t repetition, std::int64_t layer) {
  const Kernel& k = *kernel.kernel;
  std::span<const float> input = activation(k.inputs.front());
  if (options_.before_product && rank_ == 0) options_.before_product(k, layer, input);
  std::span<const float> divisors;
  if (numerics_.smoothing > 0) divisors = options_.calibration->of(k.name, layer);
  std::vector<float> smoothed;
  if (!divisors.empty()) {
    smoothed.assign(input.begin(), input.end());
    for (std::size_t i = 0; i < smoothed.size(); ++i) smoothed[i] /= divisors[i % divisors.size()];
    input = smoothed;
  }
  const KTiling tiling{kernel.mapping->tile(Axis::k), kernel.mapping->split_k};
  gemm(numerics_of(k), {.functions = &functions_}, tiling, k.epilogue, input,
       prepared(k, repetition, divisors), activation(k.outputs.front()));
}

void Rank::run_rope(const Kernel& kernel, const KernelPlace& place, std::int64_t layer) {
  std::map<std::string_view, std::vector<float>> extras;  // biases and head norms, by name
  for (const int w : kernel.weights) {
    extras[program_.tensor(w).name] = load_vector(weight(w, place.repetition));
  }
  const auto d = static_cast<std::size_t>(model_.head_dim);
  const std::size_t q_width = static_cast<std::size_t>(n_heads_) * d;
  const std::size_t kv_width = static_cast<std::size_t>(n_kv_heads_) * d;
  const std::size_t width = q_width + 2 * kv_width;
  const auto add_bias = [&](std::span<float> part, std::string_view name) {
    const auto bias = extras.find(name);
    if (bias == extras.end()) return;
    for (std::size_t i = 0; i < part.size(); ++i) part[i] += bias->second[i];
  };
  const auto turn_heads = [&](std::span<float> part, std::string_view norm, std::size_t token) {
    const auto scales = extras.find(norm);
    for (std::size_t at = 0; at < part.size(); at += d) {
      const std::span<float> head = part.subspan(at, d);
      if (scales != extras.end()) {
        rmsnorm(functions_, head, scales->second, static_cast<float>(model_.norm_eps), head);
      }
      rotate(head, state_->rotations[token], rope_layout_);
    }
  };

  const std::span<float> qkv = activation(kernel.inputs.front());
  for (std::size_t t = 0; t < state_->tokens.size(); ++t) {
    const std::span<float> q = qkv.subspan(t * width, q_width);
    const std::span<float> k = qkv.subspan(t * width + q_width, kv_width);
    add_bias(q, "blk.*.attn_q.bias");
    add_bias(k, "blk.*.attn_k.bias");
    add_bias(qkv.subspan(t * width + q_width + kv_width, kv_width), "blk.*.attn_v.bias");
    turn_heads(q, "blk.*.attn_q_norm.weight", t);
    turn_heads(k, "blk.*.attn_k_norm.weight", t);
  }
  check_finite(kernel, place, kernel.inputs.front(), qkv);  // before a cache takes it in

  std::vector<float>& queries = activation(kernel.outputs.front());
  std::span<const float> row = qkv;
  auto query = queries.begin();
  for (std::size_t s = 0; s < caches_.size(); ++s) {
    Cache& cache = caches_[s][static_cast<std::size_t>(layer)];
    for (std::int64_t i = 0; i < state_->step.sequences[s].new_tokens; ++i) {
      query = std::copy_n(row.begin(), q_width, query);
      cache.keys.append(row.subspan(q_width, kv_width));
      cache.values.append(row.subspan(q_width + kv_width, kv_width));
      row = row.subspan(width);
    }
  }
}

void Rank::run_attention(const BoundKernel& kernel, std::int64_t layer) {
  const AttentionHeads shape{
      .n_heads = n_heads_,
      .n_kv_heads = n_kv_heads_,
      .head_dim = model_.head_dim,
      .window = kernel.kernel->window.keys,
      .tile = kernel.mapping->tile(Axis::c),
      .operands = numerics_.attention,
      .functions = &functions_,
  };
  const std::span<const float> queries = activation(kernel.kernel->inputs.front());
  const std::span<float> out = activation(kernel.kernel->outputs.front());
  const auto kv_width = static_cast<std::size_t>(n_kv_heads_ * model_.head_dim);
  std::size_t at = 0;
  for (std::size_t s = 0; s < caches_.size(); ++s) {
    const Cache& cache = caches_[s][static_cast<std::size_t>(layer)];
    const Sequence& sequence = state_->step.sequences[s];
    const std::int64_t first = first_key_seen(kernel.kernel->window, sequence.context);
    const std::int64_t end = cache.keys.size();
    keys_.resize(static_cast<std::size_t>(end - first) * kv_width);
    values_.resize(keys_.size());
    tbb::parallel_invoke([&] { cache.keys.read(first, end, numerics_.attention, keys_); },
                         [&] { cache.values.read(first, end, numerics_.attention, values_); });
    const std::size_t count = static_cast<std::size_t>(sequence.new_tokens * n_heads_) *
                              static_cast<std::size_t>(model_.head_dim);
    attention(shape, queries.subspan(at, count), keys_, values_, out.subspan(at, count), first);
    at += count;
  }
}

}  // namespace presil

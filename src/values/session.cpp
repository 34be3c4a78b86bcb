#include "values/session.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/interrupt.h"
#include "base/progress.h"
#include "values/attention.h"
#include "values/gemm.h"
#include "values/ggml/block_formats.h"
#include "values/rounding.h"

namespace presil {
namespace {

bool is_finite(std::span<const float> values) {
  return std::all_of(values.begin(), values.end(), [](float v) { return std::isfinite(v); });
}

WeightView resolve(const Weights& weights, const Tensor& wanted, std::int64_t layer) {
  const std::string name = name_in_layer(wanted.name, layer);
  const std::string shape = wanted.rows.scale == 1
                                ? fmt::format("({})", wanted.columns)
                                : fmt::format("({}, {})", wanted.rows.scale, wanted.columns);
  const WeightTensor* found = weights.find(name);
  if (found == nullptr) {
    throw InputError(
        fmt::format("weights: no tensor '{}', which the program needs as {}", name, shape));
  }
  const bool is_vector = found->shape.size() == 1 && wanted.rows.scale == 1;
  const bool is_matrix = found->shape.size() == 2 && found->shape[0] == wanted.rows.scale;
  if (!(is_vector || is_matrix) || found->shape.back() != wanted.columns) {
    throw InputError(fmt::format("weights: '{}': expected {} as in the program, found ({})", name,
                                 shape, fmt::join(found->shape, ", ")));
  }
  if (found->format != wanted.format) {
    throw InputError(fmt::format("weights: '{}': the program was compiled for {}, the file has {}",
                                 name, to_string(wanted.format), to_string(found->format)));
  }
  if (!is_weight_format(found->format)) {
    throw InputError(
        fmt::format("weights: '{}': {} is not supported yet", name, to_string(found->format)));
  }
  return WeightView(*found);
}

}  // namespace

Session::Session(const Program& program, const Weights& weights)
    : program_(program),
      weights_(weights),
      model_(weights.architecture()),
      numerics_(program.numerics),
      frequencies_(weights.rope_frequencies()) {
  if (program.tensor_parallel != 1) {
    throw InputError(fmt::format("values of a model split over {} chips: not yet; use --tp 1",
                                 program.tensor_parallel));
  }
  resolve_weights();
}

void Session::resolve_weights() {
  views_.resize(program_.tensors.size());
  for (const Block& block : program_.blocks) {
    for (const Kernel& kernel : block.kernels) {
      for (const int index : kernel.weights) {
        auto& views = views_[static_cast<std::size_t>(index)];
        for (auto layer = std::ssize(views); layer < block.repeat; ++layer) {
          views.push_back(resolve(weights_, program_.tensor(index), layer));
        }
      }
    }
  }
}

const WeightView& Session::weight(int tensor, std::size_t layer) const {
  return views_[static_cast<std::size_t>(tensor)][layer];
}

std::int64_t Session::context(std::size_t sequence) const {
  return sequence < contexts_.size() ? contexts_[sequence] : 0;
}

std::vector<float> Session::run(const BoundProgram& bound,
                                std::span<const std::vector<int>> new_tokens) {
  check_step(bound, new_tokens);
  begin(bound, new_tokens);
  int last_gemm_output = -1;
  std::int64_t layers = 0;
  for (const BoundBlock& block : bound.blocks) layers += block.repeat;
  Progress progress("layers run", layers);  // of a step that takes seconds: a long prompt
  for (const BoundBlock& block : bound.blocks) {
    for (std::int64_t layer = 0; layer < block.repeat; ++layer, progress.advance()) {
      for (const BoundKernel& kernel : block.kernels) {
        check_interrupt();
        execute(kernel, static_cast<std::size_t>(layer));
        check_finite(*kernel.kernel, block.block->name, layer, block.repeat);
        if (kernel.kernel->op == Op::gemm) last_gemm_output = kernel.kernel->outputs.front();
      }
    }
  }
  for (std::size_t i = 0; i < contexts_.size(); ++i) contexts_[i] += step_.sequences[i].new_tokens;
  CHECK(last_gemm_output >= 0, "a program ends in a product that gives the logits");
  return std::move(activation(last_gemm_output));
}

void Session::check_step(const BoundProgram& bound,
                         std::span<const std::vector<int>> new_tokens) const {
  CHECK(bound.program == &program_, "a session runs the program it was made for");
  const std::vector<Sequence>& sequences = bound.step.sequences;
  CHECK(new_tokens.size() == sequences.size(), "a step has tokens for each of its sequences");
  CHECK(sequences.size() >= contexts_.size(), "a session's sequences all take part in a step");
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    CHECK(std::ssize(new_tokens[i]) == sequences[i].new_tokens, "a step says its new tokens");
    CHECK(context(i) == sequences[i].context, "a step follows on the steps before it");
    for (const int token : new_tokens[i]) {
      if (token < 0 || token >= model_.vocab_size) {
        throw InputError(fmt::format("token {}: expected 0 to {}", token, model_.vocab_size - 1));
      }
    }
  }
}

void Session::begin(const BoundProgram& bound, std::span<const std::vector<int>> new_tokens) {
  step_ = bound.step;
  const std::size_t n_sequences = step_.sequences.size();
  contexts_.resize(n_sequences);
  std::int64_t layers = 1;
  for (const BoundBlock& block : bound.blocks) layers = std::max(layers, block.repeat);
  caches_.resize(n_sequences, std::vector<Cache>(static_cast<std::size_t>(layers)));
  tokens_.clear();
  rotations_.clear();
  for (std::size_t i = 0; i < n_sequences; ++i) {
    for (std::size_t t = 0; t < new_tokens[i].size(); ++t) {
      tokens_.push_back(new_tokens[i][t]);
      rotations_.emplace_back(contexts_[i] + static_cast<std::int64_t>(t), frequencies_);
    }
  }
  activations_.resize(program_.tensors.size());
  for (std::size_t i = 0; i < activations_.size(); ++i) {
    const Tensor& tensor = program_.tensors[i];
    if (tensor.role != Role::activation) continue;
    const std::size_t count = tensor.rows.symbol == Symbol::T ? tokens_.size() : n_sequences;
    activations_[i].assign(count * static_cast<std::size_t>(tensor.rows.scale * tensor.columns),
                           0.0f);
  }
}

void Session::execute(const BoundKernel& kernel, std::size_t layer) {
  const Kernel& k = *kernel.kernel;
  switch (k.op) {
    case Op::embed:
      embed(weight(k.weights.front(), layer), tokens_, activation(k.outputs.front()));
      return;
    case Op::rmsnorm:
      return run_norm(k, layer);
    case Op::gemm:
      return run_gemm(kernel, layer);
    case Op::rope:
      return run_rope(k, layer);
    case Op::attention:
      return run_attention(kernel, layer);
    case Op::argmax:
      return run_argmax(k);
    case Op::all_reduce:
    case Op::all_gather:
      throw InternalError("values: a collective in a program for one chip");
  }
}

void Session::check_finite(const Kernel& kernel, const std::string& block, std::int64_t layer,
                           std::int64_t repeat) const {
  for (const int output : kernel.outputs) {
    if (is_finite(activations_[static_cast<std::size_t>(output)])) continue;
    const std::string place = repeat > 1 ? fmt::format("{} {}", block, layer) : block;
    throw InputError(fmt::format(
        "{}, {}: '{}' has numbers that are not finite; numerics {}, weights of '{}'", place,
        kernel.name, program_.tensor(output).name, numerics_.name, program_.model));
  }
}

void Session::run_norm(const Kernel& kernel, std::size_t layer) {
  const std::vector<float>& in = activation(kernel.inputs.front());
  std::vector<float>& out = activation(kernel.outputs.front());
  const std::vector<float> scales = load_vector(weight(kernel.weights.front(), layer));
  const std::size_t width = scales.size();
  const auto normalise = [&](std::size_t from, std::size_t to) {
    rmsnorm(std::span(in).subspan(from * width, width), scales, static_cast<float>(model_.norm_eps),
            std::span(out).subspan(to * width, width));
  };
  if (program_.tensor(kernel.outputs.front()).rows.symbol == Symbol::S) {
    std::size_t end = 0;  // of each sequence, its last token
    for (std::size_t s = 0; s < step_.sequences.size(); ++s) {
      end += static_cast<std::size_t>(step_.sequences[s].new_tokens);
      normalise(end - 1, s);
    }
  } else {
    for (std::size_t t = 0; t < tokens_.size(); ++t) normalise(t, t);
  }
}

void Session::run_gemm(const BoundKernel& kernel, std::size_t layer) {
  const Kernel& k = *kernel.kernel;
  std::vector<PreparedWeight> weights;
  for (const int w : k.weights) weights.emplace_back(weight(w, layer), numerics_.products);
  const KTiling tiling{kernel.mapping->tile(Axis::k), kernel.mapping->split_k};
  gemm(numerics_.products, tiling, k.epilogue, activation(k.inputs.front()), weights,
       activation(k.outputs.front()));
}

void Session::run_rope(const Kernel& kernel, std::size_t layer) {
  std::map<std::string_view, std::vector<float>> extras;  // biases and head norms, by name
  for (const int w : kernel.weights) {
    extras[program_.tensor(w).name] = load_vector(weight(w, layer));
  }
  const auto d = static_cast<std::size_t>(model_.head_dim);
  const auto q_width = static_cast<std::size_t>(model_.n_heads) * d;
  const auto kv_width = static_cast<std::size_t>(model_.n_kv_heads) * d;
  const Format rounding = numerics_.attention;
  std::vector<float>& qkv = activation(kernel.inputs.front());
  std::vector<float>& queries = activation(kernel.outputs.front());

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
        rmsnorm(head, scales->second, static_cast<float>(model_.norm_eps), head);
      }
      rotate(head, rotations_[token], weights_.rope_layout());
    }
  };

  std::size_t token = 0;
  for (std::size_t s = 0; s < step_.sequences.size(); ++s) {
    Cache& cache = caches_[s][layer];
    for (std::int64_t i = 0; i < step_.sequences[s].new_tokens; ++i, ++token) {
      const std::size_t stride = q_width + 2 * kv_width;
      const std::span<float> row = std::span(qkv).subspan(token * stride, stride);
      const std::span<float> q = row.first(q_width);
      const std::span<float> k = row.subspan(q_width, kv_width);
      const std::span<float> v = row.last(kv_width);
      add_bias(q, "blk.*.attn_q.bias");
      add_bias(k, "blk.*.attn_k.bias");
      add_bias(v, "blk.*.attn_v.bias");
      turn_heads(q, "blk.*.attn_q_norm.weight", token);
      turn_heads(k, "blk.*.attn_k_norm.weight", token);
      round_to(rounding, k);
      round_to(rounding, v);
      std::copy(q.begin(), q.end(), queries.begin() + static_cast<std::ptrdiff_t>(token * q_width));
      cache.keys.insert(cache.keys.end(), k.begin(), k.end());
      cache.values.insert(cache.values.end(), v.begin(), v.end());
    }
  }
}

void Session::run_attention(const BoundKernel& kernel, std::size_t layer) {
  const AttentionHeads shape{
      .n_heads = model_.n_heads,
      .n_kv_heads = model_.n_kv_heads,
      .head_dim = model_.head_dim,
      .window = model_.sliding_window,
      .tile = kernel.mapping->tile(Axis::c),
      .operands = numerics_.attention,
  };
  const std::span<const float> queries = activation(kernel.kernel->inputs.front());
  const std::span<float> out = activation(kernel.kernel->outputs.front());
  const auto q_width = static_cast<std::size_t>(model_.n_heads * model_.head_dim);
  std::size_t at = 0;
  for (std::size_t s = 0; s < step_.sequences.size(); ++s) {
    const Cache& cache = caches_[s][layer];
    const std::size_t count = static_cast<std::size_t>(step_.sequences[s].new_tokens) * q_width;
    attention(shape, queries.subspan(at, count), cache.keys, cache.values, out.subspan(at, count));
    at += count;
  }
}

void Session::run_argmax(const Kernel& kernel) {
  const std::vector<float>& logits = activation(kernel.inputs.front());
  const auto width = std::ssize(logits) / std::ssize(step_.sequences);
  chosen_.clear();
  for (auto row = logits.begin(); row != logits.end(); row += width) {
    chosen_.push_back(static_cast<int>(std::max_element(row, row + width) - row));
  }
}

}  // namespace presil

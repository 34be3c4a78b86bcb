// For tests: the program of a model on chips that hold anything, with tiles chosen by the test. Cut
// over chips as the compiler cuts it.
#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "model/weights.h"
#include "program/program.h"

namespace presil::testing {

struct SmallTiles {
  std::int64_t k = 32;
  std::int64_t c = 16;
  std::int64_t split_k = 1;
  std::int64_t chips = 1;
};

class SmallProgram {
 public:
  SmallProgram(const Weights& weights, const Numerics& numerics, SmallTiles tiles)
      : weights_(weights), model_(weights.architecture()), tiles_(tiles) {
    program_.model = model_.name;
    program_.chip = "test";
    program_.numerics = numerics;
    program_.dram_capacity = 64_GiB;
    program_.shared_memory = 1_GiB;
    program_.dram_unit = 64_B;
    program_.max_context = model_.max_context;
    program_.tensor_parallel = tiles_.chips;
  }

  Program build() {
    const Architecture& m = model_;
    const std::int64_t p = tiles_.chips, d = m.head_dim;
    const std::int64_t q_width = m.n_heads / p * d;
    const std::int64_t kv_width = std::max<std::int64_t>(1, m.n_kv_heads / p) * d;
    const std::int64_t d_ff = m.d_ff / p, vocab = m.vocab_size / p;
    const int x = activation("x", Symbol::T, m.d_model);
    const int h = activation("h", Symbol::T, m.d_model);
    const int qkv = activation("qkv", Symbol::T, q_width + 2 * kv_width);
    const int q = activation("q", Symbol::T, q_width);
    const int attn = activation("attn", Symbol::T, q_width);
    const int f = activation("f", Symbol::T, d_ff);
    const int partial = p > 1 ? activation("partial", Symbol::T, m.d_model) : x;
    const int last = activation("last", Symbol::S, m.d_model);
    const int logits = in_fp32("logits", vocab);
    const int all_logits = p > 1 ? in_fp32("all_logits", m.vocab_size) : logits;
    const int token = in_fp32("token", 1);
    const int keys = cache("k_cache", kv_width);
    const int values = cache("v_cache", kv_width);
    const int table = weight("token_embd.weight", vocab, m.d_model);

    std::vector<int> extras;
    if (m.qkv_bias) {
      extras = {weight("blk.*.attn_q.bias", 1, q_width), weight("blk.*.attn_k.bias", 1, kv_width),
                weight("blk.*.attn_v.bias", 1, kv_width)};
    }
    if (m.qk_norm) {
      extras.push_back(weight("blk.*.attn_q_norm.weight", 1, d));
      extras.push_back(weight("blk.*.attn_k_norm.weight", 1, d));
    }
    const auto layer_norm = [&](const char* name) { return weight(name, 1, m.d_model); };
    const std::vector<int> wqkv = {weight("blk.*.attn_q.weight", q_width, m.d_model),
                                   weight("blk.*.attn_k.weight", kv_width, m.d_model),
                                   weight("blk.*.attn_v.weight", kv_width, m.d_model)};
    const std::vector<int> gate_up = {weight("blk.*.ffn_gate.weight", d_ff, m.d_model),
                                      weight("blk.*.ffn_up.weight", d_ff, m.d_model)};
    const int wo = weight("blk.*.attn_output.weight", m.d_model, q_width);
    const int down = weight("blk.*.ffn_down.weight", m.d_model, d_ff);
    const int head = m.tied_embeddings ? table : weight("output.weight", vocab, m.d_model);

    program_.blocks = {
        {"embed", 1, {kernel("embed", Op::embed, {}, {table}, {partial})}},
        {"layer",
         m.n_layers,
         {
             kernel("attn_norm", Op::rmsnorm, {x}, {layer_norm("blk.*.attn_norm.weight")}, {h}),
             kernel("qkv", Op::gemm, {h}, wqkv, {qkv}),
             kernel("rope", Op::rope, {qkv}, extras, {q, keys, values}),
             kernel("attention", Op::attention, {q, keys, values}, {}, {attn}),
             kernel("attn_out", Op::gemm, {attn}, {wo}, {partial}, sum()),
             kernel("ffn_norm", Op::rmsnorm, {x}, {layer_norm("blk.*.ffn_norm.weight")}, {h}),
             kernel("gate_up", Op::gemm, {h}, gate_up, {f}, Epilogue::swiglu),
             kernel("down", Op::gemm, {f}, {down}, {partial}, sum()),
         }},
        {"head",
         1,
         {
             kernel("final_norm", Op::rmsnorm, {x}, {layer_norm("output_norm.weight")}, {last}),
             kernel("lm_head", Op::gemm, {last}, {head}, {logits}),
             kernel("argmax", Op::argmax, {all_logits}, {}, {token}),
         }},
    };
    for (Kernel& k : program_.blocks[1].kernels) {
      if (k.op == Op::attention) k.window.keys = m.sliding_window;
    }
    if (p > 1) add_collectives(x, partial, logits, all_logits);
    return std::move(program_);
  }

 private:
  int add(Tensor tensor) {
    program_.tensors.push_back(std::move(tensor));
    return static_cast<int>(program_.tensors.size()) - 1;
  }

  int activation(const char* name, Symbol rows, std::int64_t columns) {
    return add({name, Role::activation, program_.numerics.stream, {}, {1, rows}, columns, 0, 0});
  }
  int in_fp32(const char* name, std::int64_t columns) {
    return add({name, Role::activation, Format::fp32, {}, {1, Symbol::S}, columns, 0, 0});
  }
  int cache(const char* name, std::int64_t columns) {
    const Operand& stored = program_.numerics.kv_cache;
    return add({name, Role::cache, stored.format, stored.scaling, {1, Symbol::C}, columns, 0, 0});
  }

  /// On one chip products add to the residual stream by themselves.
  Epilogue sum() const { return tiles_.chips > 1 ? Epilogue::none : Epilogue::add; }

  void add_collectives(int x, int partial, int logits, int all_logits) {
    const auto reduce = [&](Epilogue epilogue) {
      return kernel("all_reduce", Op::all_reduce, {partial}, {}, {x}, epilogue);
    };
    program_.blocks[0].kernels.push_back(reduce(Epilogue::none));
    auto& layer = program_.blocks[1].kernels;
    layer.insert(layer.begin() + 5, reduce(Epilogue::add));
    layer.push_back(reduce(Epilogue::add));
    auto& head = program_.blocks[2].kernels;
    head.insert(head.end() - 1, kernel("all_gather", Op::all_gather, {logits}, {}, {all_logits}));
  }

  int weight(const std::string& name, std::int64_t rows, std::int64_t columns) {
    const WeightTensor* stored = weights_.find(name_in_layer(name, 0));
    const Format format = stored != nullptr ? stored->format : Format::fp32;
    return add({name, Role::weight, format, Scaling::none, {rows, Symbol::one}, columns, 0, 0});
  }

  Kernel kernel(const char* name, Op op, std::vector<int> inputs, std::vector<int> weights,
                std::vector<int> outputs, Epilogue epilogue = Epilogue::none) const {
    Kernel k;
    k.name = name;
    k.op = op;
    k.epilogue = epilogue;
    k.inputs = std::move(inputs);
    k.weights = std::move(weights);
    k.outputs = std::move(outputs);
    Mapping mapping;
    if (op == Op::gemm) {
      mapping.loops = {{Axis::k, tiles_.k, Over::time}};
      mapping.split_k = tiles_.split_k;
    }
    if (op == Op::attention) mapping.loops = {{Axis::c, tiles_.c, Over::time}};
    k.mappings = {mapping};
    return k;
  }

  const Weights& weights_;
  const Architecture& model_;
  SmallTiles tiles_;
  Program program_;
};

inline Program small_program(const Weights& weights, const Numerics& numerics,
                             SmallTiles tiles = {}) {
  return SmallProgram(weights, numerics, tiles).build();
}

}  // namespace presil::testing

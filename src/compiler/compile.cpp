#include "compiler/compile.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "base/integers.h"
#include "chip/dram_shape.h"
#include "compiler/kept_weights.h"
#include "compiler/mapping_chooser.h"
#include "compiler/model_share.h"
#include "compiler/pinned_mappings.h"
#include "compiler/weight_layout.h"

namespace presil {
namespace {

class Compiler {
 public:
  Compiler(const Architecture& model, const Chip& chip, const MemoryPart& part,
           const CompileOptions& options)
      : model_(model),
        chip_(chip),
        part_(part),
        options_(options),
        tp_(options.tensor_parallel),
        share_(share_of(model, chip, tp_)),
        activation_(options.numerics.stream),
        mappings_(chip, peak_bandwidth(part, chip.dram)) {}

  Feasible<Program> run() {
    describe_machine();
    add_activations();
    add_embedding();
    for (const LayerRun& layers : runs_of_like_layers(model_, options_)) add_layers(layers);
    add_head();
    if (mappings_.infeasible()) return tl::unexpected(*mappings_.infeasible());
    pin_mappings(program_, options_.mappings, chip_);
    place_weights(program_);  // every weight has an address; layers are layer_stride apart
    return std::move(program_);
  }

 private:
  void describe_machine() {
    program_.model = model_.name;
    program_.chip = chip_.name;
    program_.numerics = options_.numerics;
    program_.tensor_parallel = tp_;
    program_.cores = chip_.core.count;
    program_.local_memory = chip_.core.sram.size;
    program_.shared_memory =
        chip_.sram ? Bytes(static_cast<std::int64_t>(static_cast<double>(chip_.sram->size.count()) *
                                                     chip_.sram->usable))
                   : Bytes(0);
    program_.dram_capacity = dram_capacity(part_, chip_.dram);
    program_.dram_unit = interleave_unit(part_, chip_.dram);
    program_.max_context = model_.max_context;
    program_.sliding_window = model_.sliding_window;
  }

  int activation(std::string name, Extent rows, std::int64_t columns, Format format) {
    program_.tensors.push_back(
        {std::move(name), Role::activation, format, Scaling::none, rows, columns, 0, 0});
    return static_cast<int>(program_.tensors.size()) - 1;
  }

  void add_activations() {
    const Extent tokens{1, Symbol::T};
    const Extent sequences{1, Symbol::S};
    x_ = activation("x", tokens, model_.d_model, activation_);
    h_ = activation("h", tokens, model_.d_model, activation_);
    qkv_ = activation("qkv", tokens, share_.q_columns + 2 * share_.kv_columns, activation_);
    q_ = activation("q", tokens, share_.q_columns, activation_);
    attn_ = activation("attn", tokens, share_.q_columns, activation_);
    f_ = activation("f", tokens, share_.d_ff, activation_);
    if (tp_ > 1) partial_ = activation("partial", tokens, model_.d_model, activation_);
    last_ = activation("last", sequences, model_.d_model, activation_);
    logits_ = activation("logits", sequences, share_.vocab, Format::fp32);
    if (tp_ > 1) all_logits_ = activation("all_logits", sequences, model_.vocab_size, Format::fp32);
    token_ = activation("token", sequences, 1, Format::fp32);
    for (int* cache : {&k_cache_, &v_cache_}) {
      *cache = activation(cache == &k_cache_ ? "k_cache" : "v_cache", {share_.kv_heads, Symbol::C},
                          model_.head_dim, options_.numerics.kv_cache.format);
      program_.tensors.back().role = Role::cache;
      program_.tensors.back().scaling = options_.numerics.kv_cache.scaling;
    }
  }

  int weight(const std::string& name, std::int64_t rows, std::int64_t columns,
             const std::optional<Operand>& made, std::int64_t layer = 0) {
    const Operand kept = kept_as(model_, options_, name, layer, rows > 1, made);
    if (columns % info(kept.format).block_elements != 0) {
      throw InputError(fmt::format("{}: rows of {} elements are not whole {} blocks", name, columns,
                                   to_string(kept.format)));
    }
    program_.tensors.push_back(
        {name, Role::weight, kept.format, kept.scaling, {rows, Symbol::one}, columns, 0, 0});
    return static_cast<int>(program_.tensors.size()) - 1;
  }

  static void set(Kernel& kernel, Axis axis, Extent extent) {
    kernel.extents[static_cast<std::size_t>(axis)] = extent;
  }

  Kernel kernel(std::string name, Op op, std::vector<int> inputs, std::vector<int> weights,
                std::vector<int> outputs) const {
    Kernel k;
    k.name = std::move(name);
    k.op = op;
    k.multiply = activation_;
    k.inputs = std::move(inputs);
    k.weights = std::move(weights);
    k.outputs = std::move(outputs);
    return k;
  }

  /// An operator over rows: elements of a row stay on one core, rows are handed out.
  Kernel rowwise(std::string name, Op op, Symbol rows, std::int64_t columns,
                 std::vector<int> inputs, std::vector<int> weights,
                 std::vector<int> outputs) const {
    Kernel k =
        kernel(std::move(name), op, std::move(inputs), std::move(weights), std::move(outputs));
    set(k, Axis::m, {1, rows});
    set(k, Axis::n, {columns, Symbol::one});
    Mapping mapping;
    mapping.loops = {{Axis::m, 1, Over::cores}, {Axis::n, columns, Over::time}};
    k.mappings.push_back(std::move(mapping));
    return k;
  }

  Kernel gemm(std::string name, Symbol rows, int input, std::vector<int> weights, int output,
              Epilogue epilogue, const ProductNumerics& numerics) {
    Kernel k = kernel(std::move(name), Op::gemm, {input}, std::move(weights), {output});
    k.epilogue = epilogue;
    std::int64_t n = 0;
    for (const int w : k.weights) n += program_.tensor(w).rows.scale;
    set(k, Axis::m, {1, rows});
    set(k, Axis::n, {n, Symbol::one});
    set(k, Axis::k, {program_.tensor(k.weights.front()).columns, Symbol::one});
    mappings_.map_gemm(k, shape_of(program_, k, numerics), numerics);
    return k;
  }

  Kernel attention() {
    Kernel k = kernel("attention", Op::attention, {q_, k_cache_, v_cache_}, {}, {attn_});
    set(k, Axis::s, {1, Symbol::S});
    set(k, Axis::h, {share_.kv_heads, Symbol::one});
    set(k, Axis::n, {share_.heads, Symbol::one});
    set(k, Axis::q, {1, Symbol::Q});
    set(k, Axis::c, {1, Symbol::C});
    set(k, Axis::d, {model_.head_dim, Symbol::one});
    const AttentionShape shape{share_.kv_heads, share_.heads / share_.kv_heads, model_.head_dim, 1,
                               options_.numerics.kv_cache};
    mappings_.map_attention(k, shape, options_.numerics.attention);
    return k;
  }

  /// Closes a parallel region: with one chip the product adds to x by itself.
  void add_to_residual(Block& block, Kernel product) {
    if (tp_ > 1) {
      product.outputs = {partial_};
      product.epilogue = Epilogue::none;
    }
    const std::string name = product.name + "_all_reduce";
    block.kernels.push_back(std::move(product));
    if (tp_ > 1) {
      block.kernels.push_back(
          rowwise(name, Op::all_reduce, Symbol::T, model_.d_model, {partial_}, {}, {x_}));
      block.kernels.back().epilogue = Epilogue::add;
    }
  }

  void add_embedding() {
    const std::int64_t d = model_.d_model;
    embedding_ =
        weight("token_embd.weight", share_.vocab, d, embedding_operand(model_, options_.numerics));
    Block embed{"embed", 1, {}, 0};
    embed.kernels.push_back(
        rowwise("embed", Op::embed, Symbol::T, d, {}, {embedding_}, {tp_ > 1 ? partial_ : x_}));
    if (tp_ > 1) {
      embed.kernels.push_back(
          rowwise("embed_all_reduce", Op::all_reduce, Symbol::T, d, {partial_}, {}, {x_}));
    }
    program_.blocks.push_back(std::move(embed));
  }

  /// One block of layers. The weights come in the order they are read.
  void add_layers(const LayerRun& layers) {
    const std::int64_t d = model_.d_model;
    const ProductNumerics& products = options_.numerics.products;
    const auto matrix = [&](std::string_view name, std::int64_t rows, std::int64_t columns) {
      return weight(fmt::format("blk.*.{}.weight", name), rows, columns, products.weights,
                    layers.first);
    };
    const auto vector = [&](std::string_view name, std::int64_t columns) {
      return weight(fmt::format("blk.*.{}", name), 1, columns, std::nullopt, layers.first);
    };
    const int attn_norm = vector("attn_norm.weight", d);
    const int wq = matrix("attn_q", share_.q_columns, d);
    const int wk = matrix("attn_k", share_.kv_columns, d);
    const int wv = matrix("attn_v", share_.kv_columns, d);
    std::vector<int> rope_weights;
    if (model_.qkv_bias) {
      rope_weights = {vector("attn_q.bias", share_.q_columns),
                      vector("attn_k.bias", share_.kv_columns),
                      vector("attn_v.bias", share_.kv_columns)};
    }
    if (model_.qk_norm) {
      rope_weights.push_back(vector("attn_q_norm.weight", model_.head_dim));
      rope_weights.push_back(vector("attn_k_norm.weight", model_.head_dim));
    }
    const int wo = matrix("attn_output", d, share_.q_columns);
    const int ffn_norm = vector("ffn_norm.weight", d);
    const int gate = matrix("ffn_gate", share_.d_ff, d);
    const int up = matrix("ffn_up", share_.d_ff, d);
    const int down = matrix("ffn_down", d, share_.d_ff);

    Block layer{"layer", layers.count, {}, layers.first};
    layer.kernels.push_back(
        rowwise("attn_norm", Op::rmsnorm, Symbol::T, d, {x_}, {attn_norm}, {h_}));
    layer.kernels.push_back(
        gemm("qkv", Symbol::T, h_, {wq, wk, wv}, qkv_, Epilogue::none, products));
    layer.kernels.push_back(rowwise("rope", Op::rope, Symbol::T,
                                    share_.q_columns + 2 * share_.kv_columns, {qkv_}, rope_weights,
                                    {q_, k_cache_, v_cache_}));
    layer.kernels.push_back(attention());
    add_to_residual(layer, gemm("attn_out", Symbol::T, attn_, {wo}, x_, Epilogue::add, products));
    layer.kernels.push_back(rowwise("ffn_norm", Op::rmsnorm, Symbol::T, d, {x_}, {ffn_norm}, {h_}));
    layer.kernels.push_back(
        gemm("gate_up", Symbol::T, h_, {gate, up}, f_, Epilogue::swiglu, products));
    add_to_residual(layer, gemm("down", Symbol::T, f_, {down}, x_, Epilogue::add, products));
    program_.blocks.push_back(std::move(layer));
  }

  void add_head() {
    const std::int64_t d = model_.d_model;
    const ProductNumerics& products = options_.numerics.of_head();
    const int output_norm = weight("output_norm.weight", 1, d, std::nullopt);
    const int head_weight = model_.tied_embeddings
                                ? embedding_
                                : weight("output.weight", share_.vocab, d, products.weights);
    Block head{"head", 1, {}, 0};
    head.kernels.push_back(
        rowwise("final_norm", Op::rmsnorm, Symbol::S, d, {x_}, {output_norm}, {last_}));
    head.kernels.push_back(
        gemm("lm_head", Symbol::S, last_, {head_weight}, logits_, Epilogue::none, products));
    if (tp_ > 1) {
      head.kernels.push_back(rowwise("logits_all_gather", Op::all_gather, Symbol::S, share_.vocab,
                                     {logits_}, {}, {all_logits_}));
    }
    Kernel argmax = rowwise("argmax", Op::argmax, Symbol::S, model_.vocab_size,
                            {tp_ > 1 ? all_logits_ : logits_}, {}, {token_});
    const std::int64_t stripe = ceil_div(model_.vocab_size, chip_.core.count);
    argmax.mappings.front().loops = {{Axis::m, 1, Over::time}, {Axis::n, stripe, Over::cores}};
    head.kernels.push_back(std::move(argmax));
    program_.blocks.push_back(std::move(head));
  }

  const Architecture& model_;
  const Chip& chip_;
  const MemoryPart& part_;
  const CompileOptions& options_;
  const std::int64_t tp_;
  const ModelShare share_;
  const Format activation_;  // of what kernels store
  MappingChooser mappings_;
  Program program_;
  int embedding_ = 0;
  int x_ = 0, h_ = 0, qkv_ = 0, q_ = 0, attn_ = 0, f_ = 0, partial_ = 0, last_ = 0, logits_ = 0,
      all_logits_ = 0, token_ = 0, k_cache_ = 0, v_cache_ = 0;
};

}  // namespace

Feasible<Program> compile(const Architecture& model, const Chip& chip, const MemoryPart& part,
                          const CompileOptions& options) {
  return Compiler(model, chip, part, options).run();
}

}  // namespace presil

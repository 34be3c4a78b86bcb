#include "compiler/compile.h"

#include <algorithm>
#include <array>
#include <map>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/integers.h"
#include "chip/dram_shape.h"
#include "chip/engine_time.h"
#include "compiler/tiling.h"
#include "compiler/weight_layout.h"

namespace presil {
namespace {

// A mapping is searched for each of these numbers of rows; a step takes the first that covers it.
constexpr std::array<std::int64_t, 8> kRowBuckets = {1, 8, 16, 32, 64, 128, 512, 2048};

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

class Compiler {
 public:
  Compiler(const Architecture& model, const Chip& chip, const MemoryPart& part,
           const CompileOptions& options)
      : model_(model), chip_(chip), part_(part), options_(options), tp_(options.tensor_parallel) {}

  Feasible<Program> run() {
    check_split();
    describe_machine();
    cut_model();
    add_activations();
    add_embedding();
    add_layers();
    add_head();
    if (infeasible_) return tl::unexpected(*infeasible_);
    place_weights(program_);  // every weight has an address; layers are layer_stride apart
    return std::move(program_);
  }

 private:
  void check_split() const {
    const auto refuse = [](const std::string& why) { throw InputError(why); };
    if (tp_ < 1) refuse(fmt::format("--tp: expected 1 or more, found {}", tp_));
    const std::int64_t group = chip_.link ? chip_.link->max_group : 1;
    if (tp_ > group) {
      refuse(fmt::format("--tp {}: {} joins at most {} chips (link.max_group)", tp_, chip_.name,
                         group));
    }
    const auto divides = [&](std::int64_t count, std::string_view what) {
      if (count % tp_ != 0) {
        refuse(
            fmt::format("--tp {} does not divide the {} {} of {}", tp_, count, what, model_.name));
      }
    };
    divides(model_.n_heads, "attention heads");
    divides(model_.d_ff, "columns of d_ff");
    divides(model_.vocab_size, "rows of the vocabulary");
    // Fewer KV heads than chips: each is kept by several chips, as serving engines do.
    if (model_.n_kv_heads >= tp_) divides(model_.n_kv_heads, "KV heads");
  }

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

  /// What is left of the model's shape on one of the chips that share it.
  void cut_model() {
    activation_ = options_.numerics.stream;
    heads_ = model_.n_heads / tp_;
    kv_heads_ = std::max<std::int64_t>(1, model_.n_kv_heads / tp_);
    kv_columns_ = kv_heads_ * model_.head_dim;
    q_columns_ = heads_ * model_.head_dim;
    d_ff_ = model_.d_ff / tp_;
    vocab_ = model_.vocab_size / tp_;
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
    qkv_ = activation("qkv", tokens, q_columns_ + 2 * kv_columns_, activation_);
    q_ = activation("q", tokens, q_columns_, activation_);
    attn_ = activation("attn", tokens, q_columns_, activation_);
    f_ = activation("f", tokens, d_ff_, activation_);
    if (tp_ > 1) partial_ = activation("partial", tokens, model_.d_model, activation_);
    last_ = activation("last", sequences, model_.d_model, activation_);
    logits_ = activation("logits", sequences, vocab_, Format::fp32);
    if (tp_ > 1) all_logits_ = activation("all_logits", sequences, model_.vocab_size, Format::fp32);
    token_ = activation("token", sequences, 1, Format::fp32);
    for (int* cache : {&k_cache_, &v_cache_}) {
      *cache = activation(cache == &k_cache_ ? "k_cache" : "v_cache", {kv_heads_, Symbol::C},
                          model_.head_dim, options_.numerics.kv_cache.format);
      program_.tensors.back().role = Role::cache;
      program_.tensors.back().scaling = options_.numerics.kv_cache.scaling;
    }
  }

  /// What a weight of `layer` is kept as in DRAM: as the numerics `made` it, or as it is stored.
  Operand kept_as(const std::string& name, std::int64_t layer, bool is_matrix,
                  const std::optional<Operand>& made) const {
    std::optional<Operand> stored = Operand{is_matrix ? options_.weights : activation_};
    if (options_.stored_as) {
      const std::string concrete = name_in_layer(name, layer);
      stored = options_.stored_as(concrete);
      if (!stored) {
        throw InputError(fmt::format("{}: the weights have no tensor '{}'", model_.name, concrete));
      }
    }
    return is_matrix && made ? *made : *stored;
  }

  int weight(const std::string& name, std::int64_t rows, std::int64_t columns,
             const std::optional<Operand>& made) {
    const Operand kept = kept_as(name, first_layer_, rows > 1, made);
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
    const Tensor& first = program_.tensor(k.weights.front());
    set(k, Axis::m, {1, rows});
    set(k, Axis::n, {n, Symbol::one});
    set(k, Axis::k, {first.columns, Symbol::one});
    GemmShape shape{1, n, first.columns, activation_, first.format};
    for (const int w : k.weights) {
      const Tensor& t = program_.tensor(w);
      // Weights of several formats side by side are cut as the widest of them.
      if (t.bytes(1) > stored_bytes(shape.weights, shape.scaling, 1, t.columns)) {
        shape.weights = t.format;
        shape.scaling = t.scaling;
      }
      shape.k_block = std::max(shape.k_block, k_block(t.format, t.scaling));
    }
    if (numerics.activations) {
      shape.k_block = std::max(
          shape.k_block, k_block(numerics.activations->format, numerics.activations->scaling));
    }
    k.multiply = multiplied_in(multipliers(meeting_format(numerics, shape.weights)), k.name);
    shape.multiply = k.multiply;
    for (const std::int64_t rows_at_most : kRowBuckets) {
      add_mapping(k, shape, rows_at_most, rows_at_most);
    }
    add_mapping(k, shape, kLargestSearchedStep, kAnyRows);
    return k;
  }

  Format multiplied_in(const std::vector<Format>& wanted, std::string_view kernel) const {
    const auto multiply = first_supported(chip_.core.matrix, wanted);
    if (multiply) return *multiply;
    std::vector<std::string_view> names;
    for (const Format f : wanted) names.push_back(to_string(f));
    throw InputError(fmt::format("{}: the matrix engine multiplies none of {} (wanted for {})",
                                 chip_.name, fmt::join(names, ", "), kernel));
  }

  void add_mapping(Kernel& k, GemmShape shape, std::int64_t m, std::int64_t max_m) {
    shape.m = m;
    const auto known = chosen_.find(shape);
    auto mapping = known != chosen_.end()
                       ? known->second
                       : choose_gemm_mapping(shape, chip_, peak_bandwidth(part_, chip_.dram));
    if (known == chosen_.end()) chosen_.emplace(shape, mapping);
    if (!mapping) {
      infeasible_ = Infeasible{k.name + ": " + mapping.error().reason, mapping.error().remedy};
      return;
    }
    mapping->max_m = max_m;
    // A wider step that wants the same nest needs no entry of its own.
    if (!k.mappings.empty() && k.mappings.back().loops == mapping->loops &&
        k.mappings.back().split_k == mapping->split_k) {
      k.mappings.back().max_m = max_m;
    } else {
      k.mappings.push_back(std::move(*mapping));
    }
  }

  Kernel attention() {
    Kernel k = kernel("attention", Op::attention, {q_, k_cache_, v_cache_}, {}, {attn_});
    set(k, Axis::s, {1, Symbol::S});
    set(k, Axis::h, {kv_heads_, Symbol::one});
    set(k, Axis::n, {heads_, Symbol::one});
    set(k, Axis::q, {1, Symbol::Q});
    set(k, Axis::c, {1, Symbol::C});
    set(k, Axis::d, {model_.head_dim, Symbol::one});
    k.multiply = multiplied_in(multipliers(options_.numerics.attention), k.name);
    for (const std::int64_t queries : {std::int64_t{1}, kAnyRows}) {
      const AttentionShape shape{kv_heads_, heads_ / kv_heads_, model_.head_dim, queries,
                                 options_.numerics.kv_cache};
      auto mapping = choose_attention_mapping(shape, chip_);
      if (!mapping) {
        infeasible_ = mapping.error();
        return k;
      }
      mapping->max_m = queries;
      k.mappings.push_back(std::move(*mapping));
    }
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

  /// Of a tied table, the head's. One that is only looked up in needs no more than the stream's
  /// format; as it is stored, where the weights of products are.
  std::optional<Operand> embedding_operand() const {
    const Numerics& n = options_.numerics;
    if (model_.tied_embeddings) return n.of_head().weights;
    return n.products.weights ? std::optional(Operand{activation_}) : std::nullopt;
  }

  void add_embedding() {
    const std::int64_t d = model_.d_model;
    embedding_ = weight("token_embd.weight", vocab_, d, embedding_operand());
    Block embed{"embed", 1, {}, 0};
    embed.kernels.push_back(
        rowwise("embed", Op::embed, Symbol::T, d, {}, {embedding_}, {tp_ > 1 ? partial_ : x_}));
    if (tp_ > 1) {
      embed.kernels.push_back(
          rowwise("embed_all_reduce", Op::all_reduce, Symbol::T, d, {partial_}, {}, {x_}));
    }
    program_.blocks.push_back(std::move(embed));
  }

  std::vector<std::string> names_in_layers() const {
    std::vector<std::string> names = {"attn_norm.weight", "attn_q.weight",      "attn_k.weight",
                                      "attn_v.weight",    "attn_output.weight", "ffn_norm.weight",
                                      "ffn_gate.weight",  "ffn_up.weight",      "ffn_down.weight"};
    if (model_.qkv_bias) {
      names.insert(names.end(), {"attn_q.bias", "attn_k.bias", "attn_v.bias"});
    }
    if (model_.qk_norm) names.insert(names.end(), {"attn_q_norm.weight", "attn_k_norm.weight"});
    for (std::string& name : names) name = "blk.*." + name;
    return names;
  }

  /// What all weights of a layer are kept as.
  std::vector<Operand> kept_in_layer(std::int64_t layer) const {
    std::vector<Operand> kept;
    for (const std::string& name : names_in_layers()) {
      const bool is_matrix = !name.ends_with("norm.weight") && !name.ends_with(".bias");
      kept.push_back(kept_as(name, layer, is_matrix, options_.numerics.products.weights));
    }
    return kept;
  }

  /// Layers that keep their weights alike and follow each other are repetitions of one block.
  void add_layers() {
    std::vector<Operand> kept = kept_in_layer(0);
    for (std::int64_t layer = 1; layer <= model_.n_layers; ++layer) {
      std::vector<Operand> next;
      if (layer < model_.n_layers) next = kept_in_layer(layer);
      if (next == kept) continue;
      add_layer_block(layer - first_layer_);
      first_layer_ = layer;
      kept = std::move(next);
    }
    first_layer_ = 0;
  }

  /// `repeat` layers from first_layer_ on. The weights come in the order they are read.
  void add_layer_block(std::int64_t repeat) {
    const std::int64_t d = model_.d_model;
    const ProductNumerics& products = options_.numerics.products;
    const auto matrix = [&](std::string_view name, std::int64_t rows, std::int64_t columns) {
      return weight(fmt::format("blk.*.{}.weight", name), rows, columns, products.weights);
    };
    const auto vector = [&](std::string_view name, std::int64_t columns) {
      return weight(fmt::format("blk.*.{}", name), 1, columns, std::nullopt);
    };
    const int attn_norm = vector("attn_norm.weight", d);
    const int wq = matrix("attn_q", q_columns_, d);
    const int wk = matrix("attn_k", kv_columns_, d);
    const int wv = matrix("attn_v", kv_columns_, d);
    std::vector<int> rope_weights;
    if (model_.qkv_bias) {
      rope_weights = {vector("attn_q.bias", q_columns_), vector("attn_k.bias", kv_columns_),
                      vector("attn_v.bias", kv_columns_)};
    }
    if (model_.qk_norm) {
      rope_weights.push_back(vector("attn_q_norm.weight", model_.head_dim));
      rope_weights.push_back(vector("attn_k_norm.weight", model_.head_dim));
    }
    const int wo = matrix("attn_output", d, q_columns_);
    const int ffn_norm = vector("ffn_norm.weight", d);
    const int gate = matrix("ffn_gate", d_ff_, d);
    const int up = matrix("ffn_up", d_ff_, d);
    const int down = matrix("ffn_down", d, d_ff_);

    Block layer{"layer", repeat, {}, first_layer_};
    layer.kernels.push_back(
        rowwise("attn_norm", Op::rmsnorm, Symbol::T, d, {x_}, {attn_norm}, {h_}));
    layer.kernels.push_back(
        gemm("qkv", Symbol::T, h_, {wq, wk, wv}, qkv_, Epilogue::none, products));
    layer.kernels.push_back(rowwise("rope", Op::rope, Symbol::T, q_columns_ + 2 * kv_columns_,
                                    {qkv_}, rope_weights, {q_, k_cache_, v_cache_}));
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
    const int head_weight =
        model_.tied_embeddings ? embedding_ : weight("output.weight", vocab_, d, products.weights);
    Block head{"head", 1, {}, 0};
    head.kernels.push_back(
        rowwise("final_norm", Op::rmsnorm, Symbol::S, d, {x_}, {output_norm}, {last_}));
    head.kernels.push_back(
        gemm("lm_head", Symbol::S, last_, {head_weight}, logits_, Epilogue::none, products));
    if (tp_ > 1) {
      head.kernels.push_back(rowwise("logits_all_gather", Op::all_gather, Symbol::S, vocab_,
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
  Program program_;
  std::map<GemmShape, Feasible<Mapping>> chosen_;  // blocks of layers ask for the same again
  std::optional<Infeasible> infeasible_;
  Format activation_ = Format::bf16;
  std::int64_t heads_ = 0, kv_heads_ = 0, kv_columns_ = 0, q_columns_ = 0, d_ff_ = 0, vocab_ = 0;
  std::int64_t first_layer_ = 0;  // of the block of layers being added
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

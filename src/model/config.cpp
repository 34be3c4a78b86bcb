#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/fields.h"
#include "model/architecture.h"
#include "model/config_experts.h"
#include "model/config_speech.h"

namespace presil {
namespace {

// Bounds on what a file may claim: far above every published model, and small enough that no
// product of them overflows 64 bits.
constexpr Range kLayers{1, 1024};
constexpr Range kWidth{1, 1 << 18};
constexpr Range kFfnWidth{1, 1 << 20};
constexpr Range kHeads{1, 4096};
constexpr Range kHeadDim{2, 1024};
constexpr Range kVocabulary{1, 1 << 24};
constexpr Range kContext{1, 1 << 27};
constexpr std::int64_t kNoToken = -1;

struct Family {
  std::string_view model_type;
  std::string_view head;  // the class under "architectures"
  bool qkv_bias;
  bool qk_norm;
  bool windowed_by_flag;  // sliding_window counts only with use_sliding_window
  bool mixture;           // has experts; is run for its cycles only
};

constexpr Family kFamilies[] = {
    {"llama", "LlamaForCausalLM", false, false, false, false},
    {"mistral", "MistralForCausalLM", false, false, false, false},
    {"qwen2", "Qwen2ForCausalLM", true, false, true, false},
    {"qwen3", "Qwen3ForCausalLM", false, true, true, false},
    {"mixtral", "MixtralForCausalLM", false, false, false, true},
    {"qwen3_moe", "Qwen3MoeForCausalLM", false, true, true, true},
    {"gpt_oss", "GptOssForCausalLM", true, false, false, true},
    {"llama4_text", "Llama4ForCausalLM", false, false, false, true},
    {"deepseek_v3", "DeepseekV3ForCausalLM", false, false, false, true},
};

// Keys that Hugging Face writes and that do not change what a decoder computes, or not how much.
constexpr std::string_view kHarmless[] = {
    "_name_or_path",
    "architectures",
    "attention_dropout",
    "attn_scale",
    "attn_temperature_tuning",
    "auto_map",
    "aux_loss_alpha",
    "boi_token_index",
    "chunk_size_feed_forward",
    "embd_pdrop",
    "eoi_token_index",
    "ep_size",
    "experts_per_token",
    "finetuning_task",
    "floor_scale",
    "for_llm_compressor",
    "id2label",
    "image_token_index",
    "initial_context_length",
    "initializer_range",
    "is_decoder",
    "is_encoder_decoder",
    "is_llama_config",
    "label2id",
    "max_window_layers",
    "model_name",
    "moe_layers",
    "n_group",
    "no_rope_layers",
    "norm_topk_prob",
    "num_nextn_predict_layers",
    "output_attentions",
    "output_hidden_states",
    "output_router_logits",
    "pad_token_id",
    "pretraining_tp",
    "problem_type",
    "return_dict",
    "rope_interleaved",
    "routed_scaling_factor",
    "router_aux_loss_coef",
    "router_jitter_noise",
    "scoring_func",
    "seq_aux",
    "swiglu_limit",
    "task_specific_params",
    "tokenizer_class",
    "topk_group",
    "topk_method",
    "torchscript",
    "transformers.js_config",
    "transformers_version",
    "unk_token_id",
    "unsloth_fixed",
    "use_bfloat16",
    "use_cache",
    "vision_config",
};

constexpr std::string_view kExpertCounts[] = {"num_experts", "num_local_experts",
                                              "n_routed_experts", "moe_intermediate_size"};

constexpr Choice<Format> kDtypes[] = {
    {"bfloat16", Format::bf16}, {"float16", Format::fp16}, {"float32", Format::fp32}};

template <class Names>
bool contains(const Names& names, std::string_view name) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

const Family* find_family(std::string_view model_type) {
  for (const Family& f : kFamilies) {
    if (f.model_type == model_type) return &f;
  }
  return nullptr;
}

const Family* read_family(Fields& fields) {
  const std::string type = fields.text("model_type", "the family of models");
  const Family* family = find_family(type);
  std::vector<std::string_view> names;
  for (const Family& f : kFamilies) names.push_back(f.model_type);
  fields.require(
      family != nullptr || type.empty(), "model_type",
      fmt::format("\"{}\" is not supported yet; expected one of {}", type, fmt::join(names, ", ")));
  const auto heads = fields.texts_or_none("architectures", "the class that runs the model");
  fields.require(family == nullptr || heads.empty() || contains(heads, family->head),
                 "architectures",
                 fmt::format("expected {}, found {}", family == nullptr ? "" : family->head,
                             fmt::join(heads, ", ")));
  return family;
}

/// Keys whose presence means a computation that Presilicon does not know.
void refuse_other_computations(Fields& fields, const Family& family) {
  for (const std::string_view key : kExpertCounts) {
    if (family.mixture) break;
    fields.raw(key, "experts of a mixture");
    fields.require(!fields.has(key), key,
                   fmt::format("a {} model has no experts", family.model_type));
  }
  const std::string act = fields.text_or("hidden_act", "the gate's activation", "silu");
  fields.require(act == "silu", "hidden_act",
                 fmt::format("\"{}\" is not supported yet; expected silu", act));
  fields.require(!fields.flag_or("mlp_bias", "biases in the feed-forward block", false), "mlp_bias",
                 "biases in the feed-forward block are not supported yet");
  const double rotated = fields.number_or("partial_rotary_factor", "share of a head rotated", 1);
  fields.require(rotated == 1, "partial_rotary_factor", "is not supported yet unless it is 1");
}

/// "rope_scaling" of older files, "rope_parameters" of newer ones, which also hold rope_theta.
struct RopeBlock {
  RopeScaling scaling;
  std::optional<double> theta;
};

RopeBlock read_rope_block(Fields& fields, const Family& family) {
  RopeBlock block;
  if (fields.has("rope_theta")) {
    block.theta = fields.number("rope_theta", "base of the rotary frequencies", {1, 1e12});
  } else {
    fields.raw("rope_theta", "base of the rotary frequencies");
  }
  const std::string older = fields.text_or("type", "the kind of scaling (older name)", "default");
  const std::string kind = fields.text_or("rope_type", "the kind of scaling", older);
  const std::string_view key = fields.has("rope_type") ? "rope_type" : "type";
  const double rotated = fields.number_or("partial_rotary_factor", "share of a head rotated", 1);
  fields.require(rotated == 1, "partial_rotary_factor", "is not supported yet unless it is 1");
  for (const char* other : {"attention_factor", "beta_fast", "beta_slow", "long_factor",
                            "short_factor", "mscale", "mscale_all_dim", "truncate"}) {
    fields.raw(other, "of other kinds of scaling");
  }

  RopeScaling& s = block.scaling;
  const Range stretch{1, 1e6};
  if (kind == "linear" || kind == "llama3" || (kind == "yarn" && family.mixture)) {
    s.kind = kind == "linear"   ? RopeScaling::Kind::linear
             : kind == "llama3" ? RopeScaling::Kind::llama3
                                : RopeScaling::Kind::yarn;
    s.factor = fields.number("factor", "how much longer the context becomes", stretch);
  } else {
    fields.raw("factor", "how much longer the context becomes");
    fields.require(
        kind == "default" || kind == "none", key,
        fmt::format("\"{}\" is not supported yet; expected default, linear or llama3", kind));
  }
  if (kind == "llama3") {
    s.low_freq_factor = fields.number("low_freq_factor", "longest wavelength kept", {1e-3, 1e3});
    s.high_freq_factor = fields.number("high_freq_factor", "shortest stretched", {1e-3, 1e3});
    s.original_context = fields.integer("original_max_position_embeddings",
                                        "context before scaling, in tokens", kContext);
    fields.require(s.low_freq_factor < s.high_freq_factor || family.mixture, "high_freq_factor",
                   "expected low_freq_factor < high_freq_factor");
  } else {
    for (const char* other :
         {"low_freq_factor", "high_freq_factor", "original_max_position_embeddings"}) {
      fields.raw(other, "of llama3 scaling");
    }
  }
  return block;
}

void read_rope(Fields& fields, const Family& family, Architecture& a) {
  const auto read = [&](Fields& block) { return read_rope_block(block, family); };
  const auto older = fields.maybe_map("rope_scaling", "rotary scaling (older)", read);
  const auto newer = fields.maybe_map("rope_parameters", "rotary settings", read);
  a.rope_theta = fields.number_or("rope_theta", "base of the rotary frequencies", 10000, {1, 1e12});
  for (const auto& block : {older, newer}) {
    if (!block) continue;
    a.rope_scaling = block->scaling;
    if (block->theta) a.rope_theta = *block->theta;
  }
}

void read_shape(Fields& fields, Architecture& a) {
  a.n_layers = fields.integer("num_hidden_layers", "layers", kLayers);
  a.d_model = fields.integer("hidden_size", "width of the residual stream", kWidth);
  a.d_ff = fields.integer("intermediate_size", "width of the feed-forward block", kFfnWidth);
  a.n_heads = fields.integer("num_attention_heads", "query heads", kHeads);
  a.n_kv_heads = fields.integer_or("num_key_value_heads", "key and value heads", a.n_heads, kHeads);
  a.vocab_size = fields.integer("vocab_size", "rows of the embedding table", kVocabulary);
  a.max_context = fields.integer("max_position_embeddings", "longest context, tokens", kContext);
  a.norm_eps = fields.number("rms_norm_eps", "added to the mean square", {1e-12, 1e-1});

  const bool divides = a.n_heads > 0 && a.d_model % a.n_heads == 0;
  a.head_dim = fields.integer_or("head_dim", "width of a head", a.d_model / a.n_heads, kHeadDim);
  fields.require(divides || fields.has("head_dim"), "num_attention_heads",
                 fmt::format("{} heads do not divide hidden_size {}, and there is no head_dim",
                             a.n_heads, a.d_model));
  fields.require(a.n_heads % a.n_kv_heads == 0, "num_key_value_heads",
                 fmt::format("{} does not divide num_attention_heads {}", a.n_kv_heads, a.n_heads));
  fields.require(a.head_dim % 2 == 0, fields.has("head_dim") ? "head_dim" : "num_attention_heads",
                 fmt::format("rotary embedding needs an even head width, found {}", a.head_dim));
}

void read_attention(Fields& fields, const Family& family, Architecture& a) {
  a.qkv_bias = family.qkv_bias;
  a.qk_norm = family.qk_norm;
  const bool bias = fields.flag_or("attention_bias", "biases of q, k, v and o", false);
  const bool all_biases = family.model_type == "gpt_oss";
  fields.require(!bias || all_biases, "attention_bias",
                 "biases of all four projections are not supported yet");
  a.output_bias = bias && all_biases;

  a.sliding_window = fields.integer_or("sliding_window", "tokens a query sees", 0, kContext);
  const bool window = fields.flag_or("use_sliding_window", "whether sliding_window counts", false);
  if (family.windowed_by_flag && !window) a.sliding_window = 0;
}

std::vector<std::int64_t> read_tokens(Fields& fields, std::string_view key, std::int64_t vocab) {
  std::vector<std::int64_t> tokens;
  for (const std::string& text : fields.texts_or_none(key, "token or list of tokens")) {
    std::int64_t id = kNoToken;
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, id);
    const bool whole = error == std::errc() && stop == end && id >= 0 && id < vocab;
    fields.require(whole, key,
                   fmt::format("expected token numbers below {}, found \"{}\"", vocab, text));
    if (whole) tokens.push_back(id);
  }
  return tokens;
}

/// FP8 weights have their scales beside them, MXFP4 ones are those of gpt-oss's experts. Other
/// quantised checkpoints are refused.
void read_quantization(Fields& fields, const Family& family, Architecture& a) {
  const Node* how = fields.raw("quantization_config", "how a checkpoint was quantised");
  if (how == nullptr || how->kind == Node::Kind::null) return;
  const auto text = [&](std::string_view key) {
    const Node* value = how->find(key);
    return value == nullptr ? std::string() : value->text;
  };
  const std::string method = text("quant_method");
  const std::string format = text("format");
  const bool is_fp8 = method == "fp8" || method == "fbgemm_fp8" ||
                      (method == "compressed-tensors" && format == "float-quantized");
  const bool is_mxfp4 = method == "mxfp4" && family.model_type == "gpt_oss";
  fields.require(is_fp8 || is_mxfp4, "quantization_config",
                 fmt::format("quant_method \"{}\"{} is not supported yet; supported are fp8, "
                             "fbgemm_fp8, compressed-tensors of format float-quantized, and GGUF "
                             "files",
                             method, format.empty() ? "" : fmt::format(" of format {}", format)));
  if (is_fp8) a.dtype = Format::fp8_e4m3;
  if (is_mxfp4) a.experts.kept = Operand{Format::fp4_e2m1, Scaling::mx_32};
}

void read_formats_and_tokens(Fields& fields, const Family& family, Architecture& a) {
  a.tied_embeddings = fields.flag_or("tie_word_embeddings", "the head reuses the embedding", false);
  const Format older = fields.choice_or<Format>("torch_dtype", "format of the weights (older name)",
                                                kDtypes, Format::bf16);
  a.dtype = fields.choice_or<Format>("dtype", "format of the weights", kDtypes, older);
  read_quantization(fields, family, a);
  a.eos_tokens = read_tokens(fields, "eos_token_id", a.vocab_size);
  const auto bos = read_tokens(fields, "bos_token_id", a.vocab_size);
  a.bos_token = bos.empty() ? kNoToken : bos.front();
}

constexpr std::string_view kKnown[] = {
    "model_type",
    "hidden_size",
    "intermediate_size",
    "num_hidden_layers",
    "head_dim",
    "num_attention_heads",
    "vocab_size",
    "rms_norm_eps",
    "num_key_value_heads",
    "rope_theta",
    "rope_scaling",
    "max_position_embeddings",
    "rope_parameters",
    "hidden_act",
    "tie_word_embeddings",
    "attention_bias",
    "mlp_bias",
    "partial_rotary_factor",
    "sliding_window",
    "use_sliding_window",
    "torch_dtype",
    "dtype",
    "quantization_config",
    "bos_token_id",
    "eos_token_id",
};

/// A foreign file has keys of its own: one that is nearly ours is taken for a slip, the others are
/// noted and ignored.
void sort_out_unknown_keys(const Node& root, Diagnostics& log, std::vector<std::string>* ignored) {
  const std::vector<std::string> known(std::begin(kKnown), std::end(kKnown));
  for (const auto& [key, value] : root.members) {
    if (contains(kKnown, key.text) || contains(kHarmless, key.text)) continue;
    if (is_key_of_extras(key.text)) continue;
    const std::string near = nearest(key.text, known);
    if (!near.empty()) {
      log.add(key.place, fmt::format("unknown key '{}'; did you mean '{}'?", key.text, near));
    } else if (ignored != nullptr) {
      ignored->push_back(key.text);
    }
  }
}

/// Where the text model is described: Llama 4's files hold it beside that of images.
const Node& text_part(const Node& root) {
  const Node* type = root.find("model_type");
  const Node* text = root.find("text_config");
  return type != nullptr && type->text == "llama4" && text != nullptr ? *text : root;
}

}  // namespace

Architecture read_config(const Node& root, std::string name, std::vector<std::string>* ignored) {
  Diagnostics log;
  const Node& text = text_part(root);
  Fields fields(text, "", log);
  Architecture a;
  a.name = std::move(name);
  if (is_speech_encoder(text)) {
    read_speech_encoder(fields, a);
  } else if (const Family* family = read_family(fields)) {
    a.family = family->model_type;
    refuse_other_computations(fields, *family);
    read_shape(fields, a);
    read_rope(fields, *family, a);
    read_attention(fields, *family, a);
    read_family_extras(fields, family->model_type, a);
    read_formats_and_tokens(fields, *family, a);
    sort_out_unknown_keys(text, log, ignored);
  }
  log.throw_if_any();
  return a;
}

}  // namespace presil

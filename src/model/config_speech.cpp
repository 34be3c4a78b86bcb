#include "model/config_speech.h"

#include <fmt/format.h>

namespace presil {
namespace {

constexpr Range kLayers{1, 1024};
constexpr Range kWidth{1, 1 << 18};
constexpr Range kHeads{1, 4096};
constexpr Range kPositions{1, 1 << 20};

}  // namespace

bool is_speech_encoder(const Node& root) {
  if (root.kind != Node::Kind::mapping) return false;
  const Node* type = root.find("model_type");
  return type != nullptr && type->text == "whisper";
}

void read_speech_encoder(Fields& fields, Architecture& a) {
  a.family = fields.text("model_type", "the family of models");
  a.n_layers = fields.integer("encoder_layers", "layers of the encoder", kLayers);
  a.d_model = fields.integer("d_model", "width of the residual stream", kWidth);
  a.d_ff = fields.integer("encoder_ffn_dim", "width of the feed-forward block", kWidth);
  a.n_heads = fields.integer("encoder_attention_heads", "heads of the encoder", kHeads);
  a.max_context = fields.integer("max_source_positions", "frames of a window", kPositions);
  const std::string act = fields.text_or("activation_function", "of the block", "gelu");
  fields.require(act == "gelu", "activation_function",
                 fmt::format("\"{}\" is not supported yet; expected gelu", act));
  fields.require(a.d_model % a.n_heads == 0, "encoder_attention_heads",
                 fmt::format("{} heads do not divide d_model {}", a.n_heads, a.d_model));
  a.n_kv_heads = a.n_heads;
  a.head_dim = a.d_model / a.n_heads;
  a.vocab_size = a.max_context;
  a.tied_embeddings = true;
  a.gated = false;
  a.encoder = true;
  a.dtype = Format::fp16;
}

}  // namespace presil

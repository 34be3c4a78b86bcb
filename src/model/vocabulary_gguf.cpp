#include "model/vocabulary_gguf.h"

#include <fmt/format.h>

namespace presil {
namespace {

constexpr std::int64_t kNoToken = -1;

}  // namespace

Vocabulary read_vocabulary(const Gguf& file) {
  Vocabulary v;
  v.model = file.text("tokenizer.ggml.model").value_or("");
  v.pre = file.text("tokenizer.ggml.pre").value_or("");
  v.tokens = file.texts("tokenizer.ggml.tokens");
  v.merges = file.texts("tokenizer.ggml.merges");
  v.chat_template = file.text("tokenizer.chat_template").value_or("");
  const auto n = static_cast<std::int64_t>(v.tokens.size());

  const auto types = file.integers("tokenizer.ggml.token_type");
  if (!types.empty() && types.size() != v.tokens.size()) {
    throw file.error(
        fmt::format("tokenizer.ggml.token_type: expected {} entries, found {}", n, types.size()));
  }
  v.types.assign(v.tokens.size(), TokenType::normal);
  for (std::size_t i = 0; i < types.size(); ++i) {
    if (types[i] < 1 || types[i] > 6) {
      throw file.error(
          fmt::format("tokenizer.ggml.token_type: expected 1 to 6, found {}", types[i]));
    }
    v.types[i] = static_cast<TokenType>(types[i]);
  }

  v.scores = file.numbers("tokenizer.ggml.scores");
  // llama.cpp's defaults where a key is missing: SentencePiece's <unk> <s> </s>; Llama 3 and
  // SentencePiece start with BOS, other byte-level BPE does not.
  const bool pieces = v.model == "llama";
  const auto id = [&](std::string_view key, std::int64_t usual) {
    const std::int64_t fallback = pieces && usual < n ? usual : kNoToken;
    return n > 0 ? file.integer(key, 0, n - 1).value_or(fallback) : kNoToken;
  };
  v.unk = id("tokenizer.ggml.unknown_token_id", 0);
  v.bos = id("tokenizer.ggml.bos_token_id", 1);
  v.eos = id("tokenizer.ggml.eos_token_id", 2);
  v.add_bos = file.flag("tokenizer.ggml.add_bos_token").value_or(pieces || v.pre == "llama-bpe");
  v.add_eos = file.flag("tokenizer.ggml.add_eos_token").value_or(false);
  if (pieces && file.flag("tokenizer.ggml.add_space_prefix").value_or(true)) {
    v.space_prefix = SpacePrefix::after_specials;
  }
  return v;
}

}  // namespace presil

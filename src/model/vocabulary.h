// What a GGUF file says about its tokens: the raw material of a Tokenizer.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace presil {

enum class TokenType : std::int32_t { normal = 1, unknown, control, user_defined, unused, byte };

struct Vocabulary {
  std::string model;  // tokenizer.ggml.model: "gpt2"
  std::string pre;    // tokenizer.ggml.pre: "smollm", "llama-bpe", "qwen2"
  std::vector<std::string> tokens;
  std::vector<TokenType> types;
  std::vector<std::string> merges;  // "left right", best first
  std::int64_t bos = -1, eos = -1;
  bool add_bos = false;
  std::string chat_template;  // Jinja; only recognised, never run
};

}  // namespace presil

// How a conversation is written as one text. Templates in model files are Jinja programs; we
// recognise the forms that our families use and write those, and run nothing.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "model/vocabulary.h"

namespace presil {

struct ChatMessage {
  std::string role;  // "system" (only first), "user", "assistant"
  std::string content;
};

struct ChatTemplate {
  enum class Kind {
    chatml,   // SmolLM2, Qwen
    llama3,   // Llama 3 to 3.2
    llama2,   // Llama 2: [INST] with <<SYS>>
    mistral,  // Mistral 7B v0.3: [INST] without a space before [/INST]
  };
  Kind kind = Kind::chatml;
  std::string default_system;   // chatml: the first message where a conversation has no system one
  std::string system_head;      // llama3: what every system message starts with, in 3.1 and 3.2
  bool drops_thoughts = false;  // chatml: Qwen 3 leaves <think>...</think> out of past answers
  std::string bos = "<s>";      // llama2: written before each question
  std::string eos = "</s>";     // llama2, mistral: written after each answer
};

/// The template that `vocabulary` carries, or, where it carries none, the one of its family.
/// Nothing when the template is of another form: the model is then not a chat model that we know.
std::optional<ChatTemplate> recognise_chat_template(const Vocabulary& vocabulary);

/// `messages` as text up to where the assistant's answer begins; earlier answers are part of it.
/// For encode_prompt() with parse_special, which also adds the BOS that Llama 3 wants. A
/// conversation continues by applying the template to the longer list of messages.
std::string apply_chat_template(const ChatTemplate& chat, std::span<const ChatMessage> messages);

}  // namespace presil

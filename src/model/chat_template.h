// How a conversation is written as one text. Templates in model files are Jinja programs; we
// recognise the two forms that our families use and write those, and run nothing.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "model/vocabulary.h"

namespace presil {

struct ChatMessage {
  std::string role;  // "system", "user", "assistant"
  std::string content;
};

struct ChatTemplate {
  enum class Kind { chatml, llama3 };
  Kind kind = Kind::chatml;
  std::string default_system;  // put first where a ChatML conversation has no system message
};

/// The template that `vocabulary` carries, or, where it carries none, the one of its family.
/// Nothing when the template is of another form: the model is then not a chat model that we know.
std::optional<ChatTemplate> recognise_chat_template(const Vocabulary& vocabulary);

/// `messages` as text up to where the assistant's answer begins. For encode_prompt() with
/// parse_special, which also adds the BOS that Llama 3 wants.
std::string apply_chat_template(const ChatTemplate& chat, std::span<const ChatMessage> messages);

}  // namespace presil

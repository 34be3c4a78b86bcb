#include "model/chat_template.h"

#include <string_view>

#include <fmt/format.h>

namespace presil {
namespace {

/// The system message that a ChatML template spells out, as SmolLM2's and Qwen2.5's do: text
/// between the tags without a Jinja quote or brace in it.
std::string find_default_system(std::string_view jinja) {
  constexpr std::string_view kOpen = "<|im_start|>system";
  constexpr std::string_view kClose = "<|im_end|>";
  for (std::size_t at = jinja.find(kOpen); at != std::string_view::npos;
       at = jinja.find(kOpen, at + 1)) {
    std::string_view text = jinja.substr(at + kOpen.size());
    text = text.substr(0, text.find(kClose));
    if (text.starts_with("\\n")) text.remove_prefix(2);  // an escape in the Jinja text
    if (text.starts_with("\n")) text.remove_prefix(1);
    const bool plain = text.find_first_of("'\"{}+") == std::string_view::npos;
    if (plain && !text.empty()) return std::string(text);
  }
  return {};
}

/// Jinja's trim, which the Llama 3 template applies to every message.
std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n\v\f";
  const std::size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

std::string apply_chatml(std::string_view default_system, std::span<const ChatMessage> messages) {
  std::string text;
  const auto add = [&](std::string_view role, std::string_view content) {
    text += fmt::format("<|im_start|>{}\n{}<|im_end|>\n", role, content);
  };
  const bool has_system = !messages.empty() && messages.front().role == "system";
  if (!has_system && !default_system.empty()) add("system", default_system);
  for (const ChatMessage& m : messages) add(m.role, m.content);
  return text + "<|im_start|>assistant\n";
}

std::string apply_llama3(std::span<const ChatMessage> messages) {
  std::string text;
  for (const ChatMessage& m : messages) {
    text += fmt::format("<|start_header_id|>{}<|end_header_id|>\n\n{}<|eot_id|>", m.role,
                        trimmed(m.content));
  }
  return text + "<|start_header_id|>assistant<|end_header_id|>\n\n";
}

}  // namespace

std::optional<ChatTemplate> recognise_chat_template(const Vocabulary& vocabulary) {
  const std::string_view jinja = vocabulary.chat_template;
  if (jinja.find("<|im_start|>") != std::string_view::npos) {
    return ChatTemplate{ChatTemplate::Kind::chatml, find_default_system(jinja)};
  }
  if (jinja.find("<|start_header_id|>") != std::string_view::npos) {
    return ChatTemplate{ChatTemplate::Kind::llama3, {}};
  }
  if (!jinja.empty()) return std::nullopt;
  if (vocabulary.pre == "llama-bpe") return ChatTemplate{ChatTemplate::Kind::llama3, {}};
  if (vocabulary.pre == "smollm" || vocabulary.pre == "qwen2") {
    return ChatTemplate{ChatTemplate::Kind::chatml, {}};
  }
  return std::nullopt;
}

std::string apply_chat_template(const ChatTemplate& chat, std::span<const ChatMessage> messages) {
  switch (chat.kind) {
    case ChatTemplate::Kind::chatml:
      return apply_chatml(chat.default_system, messages);
    case ChatTemplate::Kind::llama3:
      return apply_llama3(messages);
  }
  return {};
}

}  // namespace presil

#include "model/chat_template.h"

#include <algorithm>
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

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

/// An answer without the thoughts before it, as Qwen 3's template writes past answers.
std::string_view after_thoughts(std::string_view answer) {
  constexpr std::string_view kEnd = "</think>";
  const std::size_t end = answer.rfind(kEnd);
  if (end == std::string_view::npos) return answer;
  answer.remove_prefix(end + kEnd.size());
  return answer.substr(std::min(answer.find_first_not_of('\n'), answer.size()));
}

std::string apply_chatml(const ChatTemplate& chat, std::span<const ChatMessage> messages) {
  std::string text;
  const auto add = [&](std::string_view role, std::string_view content) {
    text += fmt::format("<|im_start|>{}\n{}<|im_end|>\n", role, content);
  };
  const bool has_system = !messages.empty() && messages.front().role == "system";
  if (!has_system && !chat.default_system.empty()) add("system", chat.default_system);
  for (const ChatMessage& m : messages) {
    const bool thinks = chat.drops_thoughts && m.role == "assistant";
    add(m.role, thinks ? after_thoughts(m.content) : std::string_view(m.content));
  }
  return text + "<|im_start|>assistant\n";
}

std::string apply_llama3(const ChatTemplate& chat, std::span<const ChatMessage> messages) {
  std::string text;
  const auto add = [&](std::string_view role, std::string_view head, std::string_view content) {
    text += fmt::format("<|start_header_id|>{}<|end_header_id|>\n\n{}{}<|eot_id|>", role, head,
                        trimmed(content));
  };
  const bool has_system = !messages.empty() && messages.front().role == "system";
  if (!has_system && !chat.system_head.empty()) add("system", chat.system_head, "");
  for (const ChatMessage& m : messages) {
    add(m.role, m.role == "system" ? chat.system_head : "", m.content);
  }
  return text + "<|start_header_id|>assistant<|end_header_id|>\n\n";
}

/// The system message goes into the first question.
std::string apply_llama2(const ChatTemplate& chat, std::span<const ChatMessage> messages) {
  std::string text;
  std::string system;
  for (const ChatMessage& m : messages) {
    if (m.role == "system") {
      system = fmt::format("<<SYS>>\n{}\n<</SYS>>\n\n", m.content);
    } else if (m.role == "assistant") {
      text += fmt::format(" {} {}", trimmed(m.content), chat.eos);
    } else {
      const std::string question = system + m.content;
      text += fmt::format("{}[INST] {} [/INST]", chat.bos, trimmed(question));
      system.clear();
    }
  }
  return text;
}

/// The system message goes into the last question.
std::string apply_mistral(const ChatTemplate& chat, std::span<const ChatMessage> messages) {
  std::string text;
  std::string system;
  for (const ChatMessage& m : messages) {
    const bool last = &m == &messages.back();
    if (m.role == "system") {
      system = m.content + "\n\n";
    } else if (m.role == "assistant") {
      text += fmt::format(" {}{}", trimmed(m.content), chat.eos);
    } else {
      text += fmt::format("[INST] {}{}[/INST]", last ? system : "", m.content);
    }
  }
  return text;
}

/// The text of a control token, or `usual` where the vocabulary has none.
std::string control_text(const Vocabulary& v, std::int64_t token, std::string usual) {
  const bool known = token >= 0 && static_cast<std::size_t>(token) < v.tokens.size();
  return known ? v.tokens[static_cast<std::size_t>(token)] : std::move(usual);
}

std::optional<ChatTemplate> recognise_inst(const Vocabulary& v) {
  ChatTemplate chat;
  chat.bos = control_text(v, v.bos, "<s>");
  chat.eos = control_text(v, v.eos, "</s>");
  const std::string_view jinja = v.chat_template;
  if (contains(jinja, "<<SYS>>")) {
    chat.kind = ChatTemplate::Kind::llama2;
    return chat;
  }
  // Mistral's forms differ in their spaces: only v0.3's has one after [INST] and none around it.
  const bool spaced = contains(jinja, "\"[INST] \"") || contains(jinja, "'[INST] '");
  const bool closed = contains(jinja, "\"[/INST]\"") || contains(jinja, "'[/INST]'");
  if (!spaced || !closed || contains(jinja, "[SYSTEM_PROMPT]")) return std::nullopt;
  chat.kind = ChatTemplate::Kind::mistral;
  return chat;
}

}  // namespace

std::optional<ChatTemplate> recognise_chat_template(const Vocabulary& vocabulary) {
  const std::string_view jinja = vocabulary.chat_template;
  ChatTemplate chat;
  if (contains(jinja, "<|im_start|>")) {
    chat.default_system = find_default_system(jinja);
    chat.drops_thoughts = contains(jinja, "</think>");
    return chat;
  }
  if (contains(jinja, "<|start_header_id|>")) {
    chat.kind = ChatTemplate::Kind::llama3;
    // Llama 3.1's template says the date that it is given, and this one when it is given none.
    if (contains(jinja, "Cutting Knowledge Date: December 2023")) {
      chat.system_head = "Cutting Knowledge Date: December 2023\nToday Date: 26 Jul 2024\n\n";
    }
    return chat;
  }
  if (contains(jinja, "[INST]")) return recognise_inst(vocabulary);
  if (!jinja.empty()) return std::nullopt;
  if (vocabulary.pre == "smollm" || vocabulary.pre == "qwen2") return chat;
  if (vocabulary.pre != "llama-bpe") return std::nullopt;
  chat.kind = ChatTemplate::Kind::llama3;
  return chat;
}

std::string apply_chat_template(const ChatTemplate& chat, std::span<const ChatMessage> messages) {
  switch (chat.kind) {
    case ChatTemplate::Kind::chatml:
      return apply_chatml(chat, messages);
    case ChatTemplate::Kind::llama3:
      return apply_llama3(chat, messages);
    case ChatTemplate::Kind::llama2:
      return apply_llama2(chat, messages);
    case ChatTemplate::Kind::mistral:
      return apply_mistral(chat, messages);
  }
  return {};
}

}  // namespace presil

#include "model/chat_template.h"

#include <gtest/gtest.h>

namespace presil {
namespace {

// tokenizer.chat_template of SmolLM2-135M-Instruct's GGUF.
constexpr const char* kSmolLm2 =
    "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ "
    "'<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging "
    "Face<|im_end|>\n' }}{% endif %}{{'<|im_start|>' + message['role'] + '\n' + "
    "message['content'] + '<|im_end|>' + '\n'}}{% endfor %}{% if add_generation_prompt %}{{ "
    "'<|im_start|>assistant\n' }}{% endif %}";

Vocabulary with_template(std::string jinja, std::string pre = "smollm") {
  Vocabulary v;
  v.pre = std::move(pre);
  v.chat_template = std::move(jinja);
  return v;
}

const std::vector<ChatMessage> kQuestion = {{"user", "What is gravity?"}};

TEST(ChatTemplate, SmolLm2IsChatMlWithASystemMessageOfItsOwn) {
  const auto chat = recognise_chat_template(with_template(kSmolLm2));
  ASSERT_TRUE(chat);
  EXPECT_EQ(
      apply_chat_template(*chat, kQuestion),
      "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging "
      "Face<|im_end|>\n<|im_start|>user\nWhat is gravity?<|im_end|>\n<|im_start|>assistant\n");
}

TEST(ChatTemplate, AGivenSystemMessageReplacesTheDefault) {
  const auto chat = recognise_chat_template(with_template(kSmolLm2));
  const std::vector<ChatMessage> messages = {{"system", "Be brief."}, kQuestion.front()};
  EXPECT_EQ(apply_chat_template(*chat, messages),
            "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nWhat is "
            "gravity?<|im_end|>\n<|im_start|>assistant\n");
}

TEST(ChatTemplate, ADefaultInsideAnExpressionIsFoundWhereItIsSpelledOut) {
  const auto chat = recognise_chat_template(with_template(
      R"({{- '<|im_start|>system\n' }}{{- '<|im_start|>system\nYou are Qwen.<|im_end|>\n' }})",
      "qwen2"));
  EXPECT_EQ(chat->default_system, "You are Qwen.");
  const auto plain = recognise_chat_template(
      with_template("{{'<|im_start|>' + message['role'] + '<|im_end|>'}}", "qwen2"));
  EXPECT_EQ(plain->default_system, "");
}

TEST(ChatTemplate, Llama3WritesHeadersAndTrims) {
  const auto chat = recognise_chat_template(
      with_template("{{ '<|start_header_id|>' + message['role'] }}", "llama-bpe"));
  ASSERT_TRUE(chat);
  const std::vector<ChatMessage> messages = {{"user", " Hi\n"}};
  EXPECT_EQ(apply_chat_template(*chat, messages),
            "<|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>"
            "<|start_header_id|>assistant<|end_header_id|>\n\n");
}

TEST(ChatTemplate, WithoutATemplateTheFamilyDecides) {
  EXPECT_EQ(recognise_chat_template(with_template("", "qwen2"))->kind, ChatTemplate::Kind::chatml);
  EXPECT_EQ(recognise_chat_template(with_template("", "llama-bpe"))->kind,
            ChatTemplate::Kind::llama3);
  EXPECT_FALSE(recognise_chat_template(with_template("[INST] {{ message }} [/INST]")));
}

const std::vector<ChatMessage> kConversation = {
    {"system", "Be brief."}, {"user", "Hi"}, {"assistant", " Hello! "}, {"user", "Why?"}};

TEST(ChatTemplate, AConversationInChatMlIsOneMessageAfterTheOther) {
  const auto chat = recognise_chat_template(with_template(kSmolLm2));
  EXPECT_EQ(apply_chat_template(*chat, kConversation),
            "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n"
            "<|im_start|>assistant\n Hello! <|im_end|>\n<|im_start|>user\nWhy?<|im_end|>\n"
            "<|im_start|>assistant\n");
}

TEST(ChatTemplate, Qwen3ForgetsWhatItThought) {
  const auto chat = recognise_chat_template(
      with_template("{{ '<|im_start|>' }}{% set c = content.split('</think>') %}", "qwen2"));
  const std::vector<ChatMessage> messages = {
      {"user", "Hi"}, {"assistant", "<think>\nhm\n</think>\n\nHello"}, {"user", "</think>?"}};
  EXPECT_EQ(apply_chat_template(*chat, messages),
            "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nHello<|im_end|>\n"
            "<|im_start|>user\n</think>?<|im_end|>\n<|im_start|>assistant\n");
}

TEST(ChatTemplate, Llama31StartsEverySystemMessageWithItsDates) {
  const auto chat = recognise_chat_template(with_template(
      R"({{- "<|start_header_id|>system" }}{{- "Cutting Knowledge Date: December 2023\n" }})",
      "llama-bpe"));
  const std::string head =
      "<|start_header_id|>system<|end_header_id|>\n\nCutting Knowledge Date: December 2023\n"
      "Today Date: 26 Jul 2024\n\n";
  EXPECT_EQ(apply_chat_template(*chat, kQuestion),
            head +
                "<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nWhat is gravity?"
                "<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n");
  EXPECT_TRUE(apply_chat_template(*chat, kConversation).starts_with(head + "Be brief.<|eot_id|>"));
}

// The parts of meta-llama/Llama-2-7b-chat-hf's template that tell it from others.
constexpr const char* kLlama2 =
    "{% set content = '<<SYS>>\\n' + system_message + '\\n<</SYS>>\\n\\n' + content %}"
    "{{ bos_token + '[INST] ' + content.strip() + ' [/INST]' }}"
    "{{ ' '  + content.strip() + ' ' + eos_token }}";

TEST(ChatTemplate, Llama2PutsTheSystemMessageIntoTheFirstQuestion) {
  const auto chat = recognise_chat_template(with_template(kLlama2, "default"));
  ASSERT_TRUE(chat);
  EXPECT_EQ(apply_chat_template(*chat, kConversation),
            "<s>[INST] <<SYS>>\nBe brief.\n<</SYS>>\n\nHi [/INST] Hello! </s>"
            "<s>[INST] Why? [/INST]");
}

TEST(ChatTemplate, MistralPutsTheSystemMessageIntoTheLastQuestion) {
  Vocabulary v = with_template(
      R"({{- "[AVAILABLE_TOOLS] [" }}{{- "[INST] " + message["content"] + "[/INST]" }})", "");
  v.tokens = {"<unk>", "<BOS>", "<EOS>"};
  v.eos = 2;
  const auto chat = recognise_chat_template(v);
  ASSERT_TRUE(chat);
  EXPECT_EQ(apply_chat_template(*chat, kConversation),
            "[INST] Hi[/INST] Hello!<EOS>[INST] Be brief.\n\nWhy?[/INST]");
}

TEST(ChatTemplate, OtherSpacesAroundInstAreAnotherTemplate) {
  for (const char* jinja : {"{{ '[INST] ' + message['content'] + ' [/INST]' }}",    // v0.2
                            R"({{- "[INST]" + message["content"] + "[/INST]" }})",  // Nemo
                            R"({{- "[SYSTEM_PROMPT] " }}{{- "[INST] " + x + "[/INST]" }})"}) {
    EXPECT_FALSE(recognise_chat_template(with_template(jinja, ""))) << jinja;
  }
}

}  // namespace
}  // namespace presil

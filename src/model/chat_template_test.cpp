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

}  // namespace
}  // namespace presil

#include "explore/chat.h"

#include <gtest/gtest.h>

#include "model/testing/tiny_llama.h"

namespace presil {
namespace {

const Places kPlaces{PRESIL_SOURCE_DIR, PRESIL_SOURCE_DIR};

ChatRequest tiny_request() {
  ChatRequest r;
  r.run.chip = "h100-sxm";
  r.run.model = testing::write_file("chat_tiny.gguf", testing::tiny_llama());
  r.run.max_tokens = 5;
  return r;
}

const auto kQuietly = [](std::string_view) {};
const auto kNever = [] { return false; };

TEST(Chat, ASecondTurnReadsOnlyWhatIsNewAndAnswersAsIfAllWereReadAnew) {
  const auto chat = Chat::open(tiny_request(), kPlaces).value();

  const Turn first = chat->ask("hi", kQuietly, kNever).value();
  const Turn second = chat->ask("more", kQuietly, kNever).value();

  const Weights weights = Weights::open_gguf(tiny_request().run.model);
  const Tokenizer tokenizer(weights.vocabulary());
  std::vector<int> all =
      tokenizer.encode("<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n", true);
  EXPECT_EQ(first.read_tokens, std::ssize(all));
  ASSERT_EQ(first.end, Turn::End::limit);
  all.insert(all.end(), first.tokens.begin(), first.tokens.end());
  const std::vector<int> rest = tokenizer.encode(
      "<|im_end|>\n<|im_start|>user\nmore<|im_end|>\n<|im_start|>assistant\n", true);
  EXPECT_EQ(second.read_tokens, 1 + std::ssize(rest));  // the answer's last token was not read
  all.insert(all.end(), rest.begin(), rest.end());
  Session session(chat->run().program, weights);
  const auto anew = generate(chat->run().program, session, all, {.max_tokens = 5}).value();
  std::vector<int> tokens;
  for (const GeneratedToken& t : anew) tokens.push_back(t.token);
  EXPECT_EQ(second.tokens, tokens);
}

TEST(Chat, WhatIsShownIsTheAnswer) {
  const auto chat = Chat::open(tiny_request(), kPlaces).value();
  std::string shown;

  const Turn turn = chat->ask(
                            "hi", [&](std::string_view piece) { shown += piece; }, kNever)
                        .value();

  EXPECT_EQ(shown, turn.answer);
  EXPECT_EQ(turn.decode_steps, 4);
}

TEST(Chat, AnAnswerThatIsStoppedLeavesTheConversationWhole) {
  const auto chat = Chat::open(tiny_request(), kPlaces).value();

  const Turn stopped = chat->ask("hi", kQuietly, [] { return true; }).value();
  const Turn next = chat->ask("more", kQuietly, kNever).value();

  EXPECT_EQ(stopped.end, Turn::End::interrupted);
  EXPECT_EQ(stopped.tokens.size(), 1u);
  EXPECT_EQ(next.tokens.size(), 5u);
}

TEST(Chat, AFullContextGivesNoAnswer) {
  const auto chat = Chat::open(tiny_request(), kPlaces).value();

  const Turn turn = chat->ask(std::string(200, 'x'), kQuietly, kNever).value();

  EXPECT_EQ(turn.end, Turn::End::context);
  EXPECT_TRUE(turn.tokens.empty());
}

TEST(Chat, TheChipsSpeedIsThatOfStepsSpreadOverTheConversation) {
  ChatRequest request = tiny_request();
  request.run.max_tokens = 20;
  const auto chat = Chat::open(request, kPlaces).value();
  EXPECT_FALSE(chat->simulate().value());

  const Turn turn = chat->ask("hi", kQuietly, kNever).value();
  const SimulatedRate rate = chat->simulate().value().value();

  EXPECT_GT(rate.tokens_per_s, 0);
  EXPECT_EQ(rate.steps, 8);
  EXPECT_EQ(rate.shortest, turn.read_tokens);
  EXPECT_EQ(rate.longest, turn.read_tokens + turn.decode_steps - 1);
}

}  // namespace
}  // namespace presil

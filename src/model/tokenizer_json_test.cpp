#include "model/tokenizer_json.h"

#include <fstream>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/testing/scratch.h"
#include "model/testing/says.h"
#include "model/tokenizer.h"

namespace presil {
namespace {

using testing::refusal;
using testing::says;
using Ids = std::vector<int>;

std::filesystem::path write(const std::string& name, const std::string& text) {
  const auto path = testing::scratch_folder() / name;
  std::ofstream(path, std::ios::binary) << text;
  return path;
}

constexpr const char* kSmolLmWords = R"({"type": "Sequence", "pretokenizers": [
    {"type": "Digits", "individual_digits": true},
    {"type": "ByteLevel", "add_prefix_space": false, "use_regex": true}]})";
constexpr const char* kQwenWords = R"({"type": "Sequence", "pretokenizers": [
    {"type": "Split", "pattern": {"Regex": "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"},
     "behavior": "Isolated", "invert": false},
    {"type": "ByteLevel", "add_prefix_space": false, "use_regex": false}]})";
constexpr const char* kLlamaSpaces = R"({"type": "Sequence", "normalizers": [
    {"type": "Prepend", "prepend": "▁"},
    {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]})";
constexpr const char* kMetaspace =
    R"({"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": false})";

/// The text of a tokenizer.json. `vocab` without braces.
std::string tokenizer(const std::string& normalizer, const std::string& words,
                      const std::string& vocab, const std::string& merges,
                      const std::string& more = "") {
  return R"({"normalizer": )" + normalizer + R"(, "pre_tokenizer": )" + words +
         R"(, "added_tokens": [
              {"id": 0, "content": "<s>", "lstrip": false, "special": true},
              {"id": 1, "content": "<tool>", "special": false}],
            "model": {"type": "BPE", "vocab": {)" +
         vocab + R"(}, "merges": )" + merges + more + "}}";
}

std::string byte_tokens(int first) {
  std::string vocab;
  for (int byte = 0; byte < 256; ++byte) {
    vocab += fmt::format(R"("<0x{:02X}>": {}, )", byte, first + byte);
  }
  return vocab;
}

TEST(TokenizerJson, ReadsAByteLevelVocabulary) {
  const auto path =
      write("tokenizer.json",
            tokenizer("null", kSmolLmWords, R"("a": 2, "b": 3, "Ġ": 4, "ab": 5, "Ġab": 6)",
                      R"(["a b", "Ġ ab"])"));
  const Tokenizer t(read_tokenizer_json(path));
  EXPECT_EQ(t.vocabulary().pre, "smollm");
  EXPECT_EQ(t.encode("ab ab<s><tool>", true), (Ids{5, 6, 0, 1}));
  EXPECT_EQ(t.decode(Ids{5, 6, 0, 1}), "ab ab<tool>");
}

TEST(TokenizerJson, ReadsMergesAsPairs) {
  const auto path = write(
      "tokenizer.json",
      tokenizer(R"({"type": "NFC"})", kQwenWords, R"("a": 2, "b": 3, "ab": 4)", R"([["a", "b"]])"));
  const Tokenizer t(read_tokenizer_json(path));
  EXPECT_EQ(t.vocabulary().pre, "qwen2");
  EXPECT_EQ(t.encode("ab", false), (Ids{4}));
}

TEST(TokenizerJson, ReadsCharactersWithByteFallback) {
  const std::string vocab = byte_tokens(2) + R"("▁": 258, "a": 259, "b": 260, "▁a": 261)";
  const auto legacy = write("legacy.json", tokenizer(kLlamaSpaces, "null", vocab, R"(["▁ a"])",
                                                     R"(, "byte_fallback": true)"));
  const Tokenizer t(read_tokenizer_json(legacy));
  EXPECT_EQ(t.encode("a a<s>a\n", true), (Ids{261, 261, 0, 261, 2 + '\n'}));
  EXPECT_EQ(t.encode(" a", true), (Ids{258, 261}));

  const auto metaspace = write("metaspace.json", tokenizer("null", kMetaspace, vocab, R"(["▁ a"])",
                                                           R"(, "byte_fallback": true)"));
  const Tokenizer m(read_tokenizer_json(metaspace));
  EXPECT_EQ(m.encode("a a<s>a", true), (Ids{261, 261, 0, 259}));
  EXPECT_EQ(m.encode(" a", true), (Ids{261}));
}

TEST(TokenizerJson, TakesSpecialTokensAndTheTemplateFromTheConfigBeside) {
  const auto path = write("tokenizer.json", tokenizer("null", kSmolLmWords, R"("a": 2)", "[]"));
  write("tokenizer_config.json",
        R"({"bos_token": {"content": "<s>"}, "eos_token": "<tool>", "add_bos_token": true,
            "chat_template": [{"name": "other", "template": "no"},
                              {"name": "default", "template": "yes"}]})");
  Vocabulary v = read_tokenizer_json(path);
  EXPECT_EQ(v.bos, 0);
  EXPECT_EQ(v.eos, 1);
  EXPECT_TRUE(v.add_bos);
  EXPECT_FALSE(v.add_eos);
  EXPECT_EQ(v.chat_template, "yes");

  write("tokenizer_config.json", R"({"bos_token": "<s>"})");
  write("chat_template.jinja", "beside");
  v = read_tokenizer_json(path);
  EXPECT_FALSE(v.add_bos);
  EXPECT_EQ(v.chat_template, "beside");
}

TEST(TokenizerJson, ThePostProcessorMayAskForTheBos) {
  const std::string text = tokenizer("null", kSmolLmWords, R"("a": 2)", "[]");
  const auto path =
      write("tokenizer.json",
            R"({"post_processor": {"type": "Sequence", "processors": [{"type": "ByteLevel"},
          {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}},
                                                    {"Sequence": {"id": "A", "type_id": 0}}]}]}, )" +
                text.substr(1));
  write("tokenizer_config.json", R"({"bos_token": "<s>"})");
  EXPECT_TRUE(read_tokenizer_json(path).add_bos);
}

std::string complaint(const std::string& text) {
  const auto path = write("tokenizer.json", text);
  return refusal<InputError>([&] { read_tokenizer_json(path); });
}

TEST(TokenizerJsonRefuse, WhatIsNotATokenizerThatWeKnow) {
  EXPECT_TRUE(says(complaint("{"), "tokenizer.json: "));
  EXPECT_TRUE(says(complaint("[]"), "tokenizer.json: error: expected an object"));
  EXPECT_TRUE(says(complaint(std::string(100, '[') + std::string(100, ']')), "nested over 64"));
  EXPECT_TRUE(says(complaint(R"({"model": {"type": "Unigram"}})"),
                   "model.type: expected BPE, found \"Unigram\""));
  EXPECT_TRUE(says(complaint(tokenizer("null", R"({"type": "ByteLevel"})", "", "[]")),
                   "pre_tokenizer: expected the byte-level split of Llama 3"));
  EXPECT_TRUE(says(complaint(tokenizer(R"({"type": "NFKC"})", kSmolLmWords, "", "[]")),
                   "pre_tokenizer: expected"));
  EXPECT_TRUE(says(complaint(tokenizer("null", kQwenWords, "", "[]", R"(, "ignore_merges": true)")),
                   "model.ignore_merges: expected false with the split qwen2"));
}

TEST(TokenizerJsonRefuse, IdsAndMergesThatMakeNoSense) {
  const auto with = [](const std::string& vocab, const std::string& merges) {
    return complaint(tokenizer("null", kSmolLmWords, vocab, merges));
  };
  EXPECT_TRUE(says(with(R"("a": 3)", "[]"), "model.vocab: no token has the id 2"));
  EXPECT_TRUE(says(with(R"("a": 2, "b": 2)", "[]"), "\"a\" and \"b\" have the same id"));
  EXPECT_TRUE(says(with(R"("a": -1)", "[]"), "the id of token \"a\": expected 0 to"));
  EXPECT_TRUE(says(with(R"("a": 1e9)", "[]"), "the id of token \"a\": expected 0 to"));
  EXPECT_TRUE(says(with(R"("a": 2)", "7"), "model.merges: expected an array"));
  EXPECT_TRUE(says(with(R"("a": 2)", R"([["a"]])"), "model.merges[0]: expected"));
}

}  // namespace
}  // namespace presil

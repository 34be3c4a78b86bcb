#include "model/tokenizer.h"

#include <ctime>
#include <optional>

#include <gtest/gtest.h>

#include "base/document.h"
#include "base/error.h"
#include "model/pre_tokenizer.h"
#include "model/testing/says.h"
#include "model/testing/small_vocabularies.h"
#include "model/testing/smollm2.h"
#include "model/weights.h"

namespace presil {
namespace {

using testing::byte_level_vocabulary;
using testing::refusal;
using testing::says;
using Ids = std::vector<int>;

TEST(Tokenizer, JoinsTheBestRankedPairFirst) {
  // "abc": b+c has the better rank, so a+b never happens.
  const Tokenizer tokenizer(byte_level_vocabulary({"b c", "a b", "a bc"}));
  EXPECT_EQ(tokenizer.encode("abc", false), (Ids{258}));
  EXPECT_EQ(tokenizer.encode("abd", false), (Ids{257, 'd'}));
}

TEST(Tokenizer, JoinsTheLeftmostOfEqualPairs) {
  const Tokenizer tokenizer(byte_level_vocabulary({"a a"}));
  EXPECT_EQ(tokenizer.encode("aaa", false), (Ids{256, 'a'}));
}

TEST(Tokenizer, NeverJoinsAcrossWords) {
  const Tokenizer tokenizer(byte_level_vocabulary({"a 1", "1 2"}));
  EXPECT_EQ(tokenizer.encode("a12", false), (Ids{'a', '1', '2'}));  // digits stand alone
}

TEST(Tokenizer, TakesWholeWordsOnlyWhereTheFamilyDoes) {
  Vocabulary v = byte_level_vocabulary({"a b"});
  v.tokens.insert(v.tokens.begin() + 257, "abc");  // a token that no merge leads to
  v.types.insert(v.types.begin() + 257, TokenType::normal);
  EXPECT_EQ(Tokenizer(v).encode("abc", false), (Ids{256, 'c'}));
  v.pre = "llama-bpe";
  EXPECT_EQ(Tokenizer(v).encode("abc", false), (Ids{257}));
}

TEST(Tokenizer, ControlTokensAreParsedOnRequestAndUserDefinedOnesAlways) {
  const Tokenizer tokenizer(byte_level_vocabulary({}));
  EXPECT_EQ(tokenizer.encode("a<|end|><tool>", true), (Ids{'a', 256, 257}));
  EXPECT_EQ(tokenizer.encode("a<tool>", false), (Ids{'a', 257}));
  EXPECT_EQ(tokenizer.encode("<|end|>", false), (Ids{'<', '|', 'e', 'n', 'd', '|', '>'}));
}

TEST(Tokenizer, TokensBeyondTheVocabularyHaveNoText) {
  const Tokenizer tokenizer(byte_level_vocabulary({}));  // 258 tokens; a model may have 288
  EXPECT_EQ(tokenizer.decode(Ids{'h', 287, 'i'}), "hi");
}

TEST(Tokenizer, ControlTokensHaveNoText) {
  const Tokenizer tokenizer(byte_level_vocabulary({}));
  EXPECT_EQ(tokenizer.decode(Ids{'h', 256, 'i', 257}), "hi<tool>");
}

TEST(Tokenizer, APromptStartsWithOneBosWhereTheVocabularyAsksForIt) {
  Vocabulary v = byte_level_vocabulary({});
  v.bos = 256;
  EXPECT_EQ(Tokenizer(v).encode_prompt("a", true), (Ids{'a'}));
  v.add_bos = true;
  EXPECT_EQ(Tokenizer(v).encode_prompt("a", true), (Ids{256, 'a'}));
  EXPECT_EQ(Tokenizer(v).encode_prompt("<|end|>a", true), (Ids{256, 'a'}));
}

TEST(Tokenizer, EveryByteSurvivesEncoding) {
  const Tokenizer tokenizer(byte_level_vocabulary({}));
  std::string bytes;
  for (int b = 0; b < 256; ++b) bytes += static_cast<char>(b);
  std::string back;
  for (const int token : tokenizer.encode(bytes, false)) back += tokenizer.bytes_of(token);
  EXPECT_EQ(back, bytes);
}

TEST(Tokenizer, DecodedTextIsAlwaysUtf8) {
  const Tokenizer tokenizer(byte_level_vocabulary({}));
  EXPECT_EQ(tokenizer.decode(Ids{'a', 0xff, 'b', 0xe2, 0x82}),
            "a\xef\xbf\xbd"
            "b\xef\xbf\xbd");
}

TEST(StreamDecoder, HoldsBackAnUnfinishedCharacter) {
  const Tokenizer tokenizer(byte_level_vocabulary({}));
  StreamDecoder decoder(tokenizer);  // U+20AC is e2 82 ac
  EXPECT_EQ(decoder.next('a'), "a");
  EXPECT_EQ(decoder.next(0xe2), "");
  EXPECT_EQ(decoder.next(0x82), "");
  EXPECT_EQ(decoder.next(0xac), "€");
  EXPECT_EQ(decoder.next(0xe2), "");
  EXPECT_EQ(decoder.finish(), "\xef\xbf\xbd");
  EXPECT_EQ(decoder.finish(), "");
}

TEST(StreamDecoder, PrintsACharacterOfSeveralTokensOnce) {
  const Tokenizer tokenizer(byte_level_vocabulary({}));  // every byte is a token
  const std::string text = "안녕 👩‍👩‍👧 🇰🇷!";
  StreamDecoder decoder(tokenizer);
  std::vector<std::string> pieces;
  for (const int token : tokenizer.encode(text, false)) {
    const std::string piece = decoder.next(token);
    if (!piece.empty()) pieces.push_back(piece);
  }
  const std::vector<std::string> characters = {"안",     "녕", " ", "👩", "\u200d", "👩",
                                               "\u200d", "👧",  " ", "🇰", "🇷",      "!"};
  EXPECT_EQ(pieces, characters);
  EXPECT_EQ(decoder.finish(), "");
}

TEST(Tokenizer, APromptEndsWithOneEosWhereTheVocabularyAsksForIt) {
  Vocabulary v = byte_level_vocabulary({});
  v.eos = 256;
  v.add_eos = true;
  EXPECT_EQ(Tokenizer(v).encode_prompt("a", true), (Ids{'a', 256}));
  EXPECT_EQ(Tokenizer(v).encode_prompt("a<|end|>", true), (Ids{'a', 256}));
}

TEST(TokenizerRefuse, KindsThatAreNotSupportedYet) {
  Vocabulary unigram = byte_level_vocabulary({});
  unigram.model = "t5";
  EXPECT_TRUE(says(refusal<InputError>([&] { Tokenizer{unigram}; }),
                   "tokenizer.ggml.model: expected gpt2 (byte-level BPE) or llama "
                   "(SentencePiece), found \"t5\""));
  EXPECT_TRUE(says(refusal<InputError>([] { Tokenizer{byte_level_vocabulary({}, "tekken")}; }),
                   "tokenizer.ggml.pre: expected one of smollm, llama-bpe, qwen2, found "
                   "\"tekken\""));
}

TEST(TokenizerRefuse, MergesThatLeadNowhere) {
  for (const char* merge : {"a b", "ab", "", "a ", "日 本"}) {
    Vocabulary v = byte_level_vocabulary({});
    v.merges = {merge};
    EXPECT_TRUE(says(refusal<InputError>([&] { Tokenizer{v}; }), "tokenizer.ggml.merges")) << merge;
  }
}

TEST(PreTokenizer, CutsAsTheModelsOwnTokenizersDo) {
  const Node rows = read_document(PRESIL_SOURCE_DIR "/test/data/pieces.json", Syntax::json);
  ASSERT_EQ(rows.items.size(), 87u);
  for (const Node& row : rows.items) {
    std::vector<std::string> expected;
    for (const Node& piece : row.find("pieces")->items) expected.push_back(piece.text);
    const std::string& text = row.find("text")->text;
    const PreTokenizer splitter(row.find("kind")->text);
    const auto pieces = splitter.split(text);
    EXPECT_EQ(std::vector<std::string>(pieces.begin(), pieces.end()), expected)
        << row.find("kind")->text << ": " << text;
  }
}

TEST(PreTokenizer, LongRunsOfOneKindAreOnePiece) {
  const std::string megabyte(1 << 20, ' ');
  for (const char* kind : {"smollm", "llama-bpe", "qwen2"}) {
    EXPECT_EQ(PreTokenizer(kind).split(megabyte).size(), 1u) << kind;
  }
}

const Tokenizer* smollm2() {
  static const std::optional<Tokenizer> tokenizer = []() -> std::optional<Tokenizer> {
    const auto file = testing::smollm2_file();
    if (!file) return std::nullopt;
    return Tokenizer(Weights::open_gguf(*file).vocabulary());
  }();
  return tokenizer ? &*tokenizer : nullptr;
}

TEST(SmolLm2Tokenizer, AgreesWithTwoIndependentTokenizers) {
  if (smollm2() == nullptr) GTEST_SKIP() << testing::kNoSmolLm2;
  const Node rows = read_document(PRESIL_SOURCE_DIR "/test/data/smollm2_tokens.json", Syntax::json);
  ASSERT_EQ(rows.items.size(), 30u);
  for (const Node& row : rows.items) {
    Ids expected;
    for (const Node& token : row.find("tokens")->items) expected.push_back(std::stoi(token.text));
    const std::string& text = row.find("text")->text;
    EXPECT_EQ(smollm2()->encode(text, true), expected) << text;
    if (text.find("<|im") != std::string::npos) continue;  // control tokens have no text
    EXPECT_EQ(smollm2()->decode(expected), text);
  }
}

TEST(SmolLm2Tokenizer, TakesAHundredKilobytesInWellUnderASecond) {
  if (smollm2() == nullptr) GTEST_SKIP() << testing::kNoSmolLm2;
  std::string prose;
  while (prose.size() < 100'000) prose += "Once upon a time, in 1984, there was a chip. ";
  for (const std::string& text : {prose, std::string(100'000, 'a')}) {
    const std::clock_t start = std::clock();  // of the processor: the machine may be busy
    EXPECT_GT(smollm2()->encode(text, true).size(), 10'000u);
    EXPECT_LT(static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC, 1.0);
  }
}

}  // namespace
}  // namespace presil

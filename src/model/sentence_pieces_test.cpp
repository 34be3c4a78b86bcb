#include "model/sentence_pieces.h"

#include <limits>

#include <gtest/gtest.h>

#include "base/error.h"
#include "model/testing/says.h"
#include "model/testing/small_vocabularies.h"
#include "model/tokenizer.h"
#include "model/vocabulary_gguf.h"

namespace presil {
namespace {

using testing::kFirstByte;
using testing::kFirstPiece;
using testing::pieces_vocabulary;
using testing::refusal;
using testing::says;
using Ids = std::vector<int>;

Ids bytes_of(std::string_view text) {
  Ids ids;
  for (const char c : text) ids.push_back(kFirstByte + static_cast<unsigned char>(c));
  return ids;
}

TEST(SentencePieces, JoinsThePairOfTheBestScoreFirst) {
  // "ab" is better than "bc", so b never goes to c although "bc" + "d" would be a token.
  Vocabulary v = pieces_vocabulary({"ab", "bc", "bcd", "a", "b", "c", "d"});
  v.space_prefix = SpacePrefix::never;
  EXPECT_EQ(Tokenizer(v).encode("abcd", false),
            (Ids{kFirstPiece, kFirstPiece + 5, kFirstPiece + 6}));
}

TEST(SentencePieces, JoinsTheLeftmostOfEqualPairs) {
  Vocabulary v = pieces_vocabulary({"aa", "a"});
  v.space_prefix = SpacePrefix::never;
  EXPECT_EQ(Tokenizer(v).encode("aaa", false), (Ids{kFirstPiece, kFirstPiece + 1}));

  v = pieces_vocabulary({"ab", "bc", "a", "b", "c"});
  v.space_prefix = SpacePrefix::never;
  v.scores[kFirstPiece + 1] = v.scores[kFirstPiece];  // two tokens of one score
  EXPECT_EQ(Tokenizer(v).encode("abc", false), (Ids{kFirstPiece, kFirstPiece + 4}));
}

TEST(SentencePieces, JoinsCharactersThatAreNoTokensThemselves) {
  Vocabulary v = pieces_vocabulary({"xy"});
  v.space_prefix = SpacePrefix::never;
  EXPECT_EQ(Tokenizer(v).encode("xy", false), (Ids{kFirstPiece}));
}

TEST(SentencePieces, WritesASpaceBeforeTheTextAndAfterSpecials) {
  const Vocabulary v = pieces_vocabulary({"▁a", "▁", "a"});
  const Tokenizer tokenizer(v);
  EXPECT_EQ(tokenizer.encode("a a", false), (Ids{kFirstPiece, kFirstPiece}));
  EXPECT_EQ(tokenizer.encode(" a", false), (Ids{kFirstPiece + 1, kFirstPiece}));
  EXPECT_EQ(tokenizer.encode("a</s>a", true), (Ids{kFirstPiece, 2, kFirstPiece}));
  EXPECT_EQ(tokenizer.encode("", false), Ids{});
}

TEST(SentencePieces, MayWriteASpaceBeforeTheTextOnly) {
  Vocabulary v = pieces_vocabulary({"▁a", "▁", "a"});
  v.space_prefix = SpacePrefix::at_start;
  const Tokenizer tokenizer(v);
  EXPECT_EQ(tokenizer.encode(" a", false), (Ids{kFirstPiece}));
  EXPECT_EQ(tokenizer.encode("a</s>a", true), (Ids{kFirstPiece, 2, kFirstPiece + 2}));
  EXPECT_EQ(tokenizer.encode("<s>a", true), (Ids{1, kFirstPiece + 2}));
}

TEST(SentencePieces, FallsBackToBytes) {
  Vocabulary v = pieces_vocabulary({"a"});
  v.space_prefix = SpacePrefix::never;
  EXPECT_EQ(Tokenizer(v).encode("한\xff", false), bytes_of("한\xff"));
  v.types[kFirstByte + 0xff] = TokenType::unused;
  EXPECT_EQ(Tokenizer(v).encode("\xff", false), (Ids{0}));  // <unk>
}

TEST(SentencePieces, DecodingTakesBackTheSpaceBeforeTheText) {
  const Tokenizer tokenizer(pieces_vocabulary({"▁a", "▁", "a"}));
  for (const char* text : {"a a", " a", "  a", "b", " ", "👩‍👩‍👧 한국어\n\ta"}) {
    EXPECT_EQ(tokenizer.decode(tokenizer.encode(text, false)), text);
  }
  EXPECT_EQ(tokenizer.decode(Ids{1, kFirstPiece}), "a");  // after <s>, which has no text
}

TEST(SentencePieces, ATextThatGoesOnKeepsItsSpace) {
  const Tokenizer tokenizer(pieces_vocabulary({"▁a", "a"}));
  StreamDecoder decoder(tokenizer);
  EXPECT_EQ(decoder.next(kFirstPiece), " a");
}

TEST(SentencePieces, PrintsACharacterOfSeveralTokensOnce) {
  const Tokenizer tokenizer(pieces_vocabulary({"▁", "국"}));
  StreamDecoder decoder(tokenizer, StreamDecoder::Text::begins);
  std::vector<std::string> pieces;
  for (const int token : tokenizer.encode("한국 👍🏽", false)) {
    const std::string piece = decoder.next(token);
    if (!piece.empty()) pieces.push_back(piece);
  }
  EXPECT_EQ(pieces, (std::vector<std::string>{"한", "국", " ", "👍", "🏽"}));
}

TEST(SentencePieces, MergesRankWhereThereAreNoScores) {
  Vocabulary v = pieces_vocabulary({"a", "b", "c", "ab", "bc", "abc"});
  v.space_prefix = SpacePrefix::never;
  v.scores.clear();
  v.merges = {"b c", "a b"};  // the first pair wins; no merge makes "abc"
  EXPECT_EQ(Tokenizer(v).encode("abc", false), (Ids{kFirstPiece, kFirstPiece + 4}));
}

TEST(SentencePieces, AreReadFromGguf) {
  const Vocabulary v = pieces_vocabulary({"▁he", "llo", "▁", "he"});
  testing::GgufWriter file;
  testing::add_vocabulary(file, v);
  const std::string bytes = file.bytes();
  const Vocabulary read =
      read_vocabulary(Gguf(std::as_bytes(std::span(bytes.data(), bytes.size())), "test.gguf"));
  EXPECT_EQ(read.scores, v.scores);
  EXPECT_EQ(read.unk, 0);
  EXPECT_EQ(read.bos, 1);
  EXPECT_EQ(read.eos, 2);
  EXPECT_TRUE(read.add_bos);
  EXPECT_FALSE(read.add_eos);
  EXPECT_EQ(read.space_prefix, SpacePrefix::after_specials);
}

std::string complaint(const Vocabulary& v) {
  return refusal<InputError>([&] { Tokenizer{v}; });
}

TEST(SentencePiecesRefuse, AVocabularyThatCannotRankOrCannotSpell) {
  Vocabulary v = pieces_vocabulary({"a"});
  v.scores.clear();
  EXPECT_TRUE(says(complaint(v), "tokenizer.ggml.scores: expected a score for each token"));
  v.scores = {1, 2};
  EXPECT_TRUE(says(complaint(v), "tokenizer.ggml.scores: expected 260 entries, found 2"));
  v.scores.assign(260, std::numeric_limits<float>::quiet_NaN());
  EXPECT_TRUE(says(complaint(v), "tokenizer.ggml.scores: expected finite numbers"));
  v.scores.assign(260, 0);
  v.types[kFirstByte + 0x41] = TokenType::unused;
  v.unk = -1;
  EXPECT_TRUE(says(complaint(v), "found none of <0x41>"));
}

TEST(SentencePiecesRefuse, MergesThatLeadNowhere) {
  for (const char* merge : {"a b", "a", "", "a ", " a"}) {
    Vocabulary v = pieces_vocabulary({"a", "b"});
    v.scores.clear();
    v.merges = {merge};
    EXPECT_TRUE(says(complaint(v), "tokenizer.ggml.merges")) << merge;
  }
}

}  // namespace
}  // namespace presil

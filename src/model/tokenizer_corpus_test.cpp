// Our tokens for test/data/tokens/corpus.json against those of independent tokenizers; how they
// were made is told in test/oracle/tokens.py.
#include <filesystem>

#include <gtest/gtest.h>

#include "base/document.h"
#include "model/testing/smollm2.h"
#include "model/tokenizer.h"
#include "model/tokenizer_json.h"
#include "model/weights.h"

namespace presil {
namespace {

using Ids = std::vector<int>;

const std::filesystem::path kFolder = PRESIL_SOURCE_DIR "/test/data/tokens";

Node read(const char* name) {
  return read_document(kFolder / name, Syntax::json);
}

Ids ids_of(const Node& row) {
  Ids ids;
  for (const Node& id : row.items) ids.push_back(std::stoi(id.text));
  return ids;
}

void expect_tokens(const Tokenizer& tokenizer, const Node& rows, bool parse_special) {
  const Node corpus = read("corpus.json");
  ASSERT_EQ(corpus.items.size(), rows.items.size());
  for (std::size_t i = 0; i < corpus.items.size(); ++i) {
    const std::string& text = corpus.items[i].text;
    const Ids expected = ids_of(rows.items[i]);
    EXPECT_EQ(tokenizer.encode(text, parse_special), expected) << text;

    std::string streamed;
    StreamDecoder decoder(tokenizer, StreamDecoder::Text::begins);
    for (const int token : expected) streamed += decoder.next(token);
    streamed += decoder.finish();
    EXPECT_EQ(tokenizer.decode(expected), streamed);
    const bool first_space_is_lost =
        tokenizer.vocabulary().space_prefix == SpacePrefix::at_start && text.starts_with(' ');
    const bool loses_nothing = !first_space_is_lost && text.find("▁") == std::string::npos &&
                               text.find("<|im") == std::string::npos &&
                               text.find("<s>") == std::string::npos;
    if (loses_nothing) {
      EXPECT_EQ(streamed, text);
    }
  }
}

class SmolLm2Corpus : public ::testing::TestWithParam<const char*> {};

TEST_P(SmolLm2Corpus, GivesTheTokensOfHuggingFace) {
  const auto file = testing::smollm2_file();
  if (!file) GTEST_SKIP() << testing::kNoSmolLm2;
  Vocabulary vocabulary = Weights::open_gguf(*file).vocabulary();
  vocabulary.pre = GetParam();
  expect_tokens(Tokenizer(vocabulary), *read("smollm2.json").find(GetParam()), true);
}

INSTANTIATE_TEST_SUITE_P(Splits, SmolLm2Corpus, ::testing::Values("smollm", "llama-bpe", "qwen2"));

TEST(TokenizerCorpus, CharactersWithByteFallbackGiveTheTokensOfHuggingFace) {
  Vocabulary vocabulary = read_tokenizer_json(kFolder / "pieces.json");
  EXPECT_EQ(vocabulary.space_prefix, SpacePrefix::after_specials);
  const Node expected = read("pieces_tokens.json");
  expect_tokens(Tokenizer(vocabulary), *expected.find("normalisers"), true);
  vocabulary.space_prefix = SpacePrefix::at_start;
  expect_tokens(Tokenizer(vocabulary), *expected.find("metaspace"), true);
}

TEST(TokenizerCorpus, PiecesWithScoresGiveTheTokensOfSentencePiece) {
  const Node file = read("sentencepiece.json");
  Vocabulary v;
  v.model = "llama";
  v.space_prefix = SpacePrefix::after_specials;
  for (const Node& piece : file.find("pieces")->items) v.tokens.push_back(piece.text);
  for (const Node& type : file.find("types")->items) {
    v.types.push_back(static_cast<TokenType>(std::stoi(type.text)));
  }
  for (const Node& score : file.find("scores")->items) v.scores.push_back(std::stof(score.text));
  v.unk = 0;
  expect_tokens(Tokenizer(v), *file.find("tokens"), false);
}

}  // namespace
}  // namespace presil

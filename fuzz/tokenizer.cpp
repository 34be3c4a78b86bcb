// Bytes as text, through every kind of tokenizer: encoding and decoding gives the text back, and
// decoding it token by token gives the same as decoding it at once.
#include <string_view>

#include "bad_input.h"
#include "base/utf8.h"
#include "model/chat_template.h"
#include "model/testing/small_vocabularies.h"
#include "model/tokenizer.h"

namespace {

using presil::Tokenizer;

const std::vector<Tokenizer>& tokenizers() {
  static const std::vector<Tokenizer> tokenizers = [] {
    std::vector<Tokenizer> list;
    for (const char* split : {"smollm", "llama-bpe", "qwen2"}) {
      list.emplace_back(presil::testing::byte_level_vocabulary({"Ġ t", "h e", "Ġt he"}, split));
    }
    const std::vector<std::string> pieces = {"▁t", "he", "▁the", "▁", "t", "h", "e", "한"};
    list.emplace_back(presil::testing::pieces_vocabulary(pieces));
    presil::Vocabulary ranked = presil::testing::pieces_vocabulary(pieces);
    ranked.scores.clear();
    ranked.merges = {"▁ t", "h e", "▁t he"};
    list.emplace_back(std::move(ranked));
    return list;
  }();
  return tokenizers;
}

/// SentencePiece cannot tell its mark for a space from a space.
std::string without_marks(std::string text) {
  constexpr std::string_view kMark = "\xe2\x96\x81";
  for (std::size_t at = text.find(kMark); at != std::string::npos; at = text.find(kMark, at)) {
    text.replace(at, kMark.size(), " ");
  }
  return text;
}

void check_round_trip(const Tokenizer& tokenizer, const std::string& text) {
  const bool marks = tokenizer.vocabulary().model == "llama";
  const std::vector<int> tokens = tokenizer.encode(text, false);
  std::string bytes;
  for (const int token : tokens) bytes += tokenizer.bytes_of(token);
  if (marks && !text.empty()) {
    CHECK(bytes.starts_with(' '), "a space is put before the text");
    bytes.erase(0, 1);
  }
  CHECK(bytes == (marks ? without_marks(text) : text), "decoding undoes encoding");

  presil::StreamDecoder decoder(tokenizer, presil::StreamDecoder::Text::begins);
  std::string streamed;
  for (const int token : tokens) {
    const std::string piece = decoder.next(token);
    for (std::size_t at = 0; at < piece.size();) {
      const presil::Utf8Head head = presil::utf8_head(std::string_view(piece).substr(at));
      CHECK(head.state == presil::Utf8::whole, "a stream prints whole characters");
      at += head.length;
    }
    streamed += piece;
  }
  streamed += decoder.finish();
  CHECK(streamed == tokenizer.decode(tokens), "a stream prints the text");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  for (const Tokenizer& tokenizer : tokenizers()) {
    check_round_trip(tokenizer, text);
    tokenizer.encode_prompt(text, true);
  }
  presil::Vocabulary v;
  v.chat_template = text;
  if (const auto chat = presil::recognise_chat_template(v)) {
    const std::vector<presil::ChatMessage> messages = {
        {"system", text}, {"user", text}, {"assistant", text}, {"user", text}};
    presil::apply_chat_template(*chat, messages);
  }
  return 0;
}

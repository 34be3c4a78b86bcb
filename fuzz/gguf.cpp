// Bytes as a GGUF model: opened, its table walked to the ends of its tensors, and its tokenizer
// built even where the rest is no model.
#include <span>

#include "bad_input.h"
#include "model/chat_template.h"
#include "model/tokenizer.h"
#include "model/vocabulary_gguf.h"
#include "model/weights.h"

namespace {

std::size_t sum_of_ends(const presil::Weights& weights) {
  std::size_t sum = 0;
  for (const presil::WeightTensor& tensor : weights.tensors()) {
    if (!tensor.data.empty()) {
      sum += std::to_integer<std::size_t>(tensor.data.front());
      sum += std::to_integer<std::size_t>(tensor.data.back());
    }
  }
  return sum;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static presil::fuzz::MemoryFile file;
  static volatile std::size_t seen;
  file.write(data, size);
  presil::fuzz::may_refuse([&] {
    const presil::Weights weights = presil::Weights::open_gguf(file.path());
    seen = sum_of_ends(weights);
    weights.rope_frequencies();
  });
  presil::fuzz::may_refuse([&] {
    const presil::Gguf container(std::as_bytes(std::span(data, size)), "input");
    const presil::Vocabulary vocabulary = presil::read_vocabulary(container);
    presil::recognise_chat_template(vocabulary);
    const presil::Tokenizer tokenizer(vocabulary);
    tokenizer.encode_prompt("hello <|im_end|> 한국어", true);
  });
  return 0;
}

// Bytes as a tokenizer.json, and what it describes put to work.
#include "model/tokenizer_json.h"
#include "bad_input.h"
#include "model/tokenizer.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static presil::fuzz::MemoryFile file;
  file.write(data, size);
  presil::fuzz::may_refuse([&] {
    const presil::Tokenizer tokenizer(presil::read_tokenizer_json(file.path()));
    const std::vector<int> tokens = tokenizer.encode_prompt("the <s> 한국어", true);
    tokenizer.decode(tokens);
  });
  return 0;
}

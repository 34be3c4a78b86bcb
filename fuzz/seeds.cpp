// seeds FOLDER: writes the small good files that fuzzing starts from, where the repository has
// none.
#include <filesystem>
#include <fstream>
#include <string>

#include "model/testing/small_vocabularies.h"
#include "model/testing/tiny_checkpoint.h"
#include "model/testing/tiny_llama.h"

namespace {

using presil::testing::TinyLlama;

void write(const std::filesystem::path& path, const std::string& bytes) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << bytes;
}

TinyLlama small(const std::string& family, presil::Format matrices) {
  TinyLlama model;
  model.family = family;
  model.matrices = matrices;
  model.n_layers = 1;
  model.d_model = 32;
  model.d_ff = 32;
  model.n_heads = 2;
  model.n_kv_heads = 1;
  return model;
}

std::string pieces_gguf() {
  const presil::Vocabulary v = presil::testing::pieces_vocabulary({"▁t", "he", "▁the"});
  presil::testing::GgufWriter file;
  presil::testing::add_vocabulary(file, v);
  return file.string("general.architecture", "llama").bytes();
}

std::string safetensors() {
  presil::testing::SafetensorsWriter file;
  file.tensor("a", "F32", {2, 2}, std::string(16, '\1')).tensor("b", "F8_E4M3", {3}, "abc");
  file.tensor("one", "BF16", {}, "ab");
  return file.bytes();
}

}  // namespace

int main(int, char** argv) {
  const std::filesystem::path folder = argv[1];
  write(folder / "gguf/llama.gguf",
        presil::testing::tiny_llama(small("llama", presil::Format::q4_0)));
  write(folder / "gguf/qwen2.gguf",
        presil::testing::tiny_llama(small("qwen2", presil::Format::q8_0)));
  write(folder / "gguf/pieces.gguf", pieces_gguf());
  write(folder / "safetensors/three.safetensors", safetensors());
  write(folder / "trace/azure.csv",
        "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:17:03.9799600,4808,10\n"
        "2023-11-16 18:17:04.0319600,3180,8\n");
  write(folder / "trace/lengths.csv", "arrival_ns,input_tokens,output_tokens\n46926808,2358,531\n");
  write(folder / "trace/no_arrivals.csv", "num_prefill_tokens,num_decode_tokens\n3772,54\n");
  write(
      folder / "trace/mooncake.jsonl",
      "{\"timestamp\": 0, \"input_length\": 600, \"output_length\": 500, \"hash_ids\": [0, 1]}\n"
      "{\"timestamp\": 2.5, \"input_length\": 9, \"output_length\": 1, \"x\": {\"y\": [\"\"]}}\n");
}

#include "model/registry.h"

#include <fstream>

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/testing/scratch.h"
#include "model/testing/says.h"
#include "model/testing/tiny_checkpoint.h"

namespace presil {
namespace {

namespace fs = std::filesystem;
using testing::refusal;
using testing::says;

const fs::path kHome = PRESIL_SOURCE_DIR;

struct PublishedTotal {
  const char* name;
  std::int64_t parameters;
  std::int64_t active;              // that one token passes
  std::int64_t kv_bytes_per_token;  // bf16: 2 (k, v) x layers x kv heads x head width x 2 B
};

// Parameter totals of the published checkpoints (the safetensors index of each model on the
// Hugging Face hub; recalled, and equal to the sums over the shapes). Those of Llama 4 and
// DeepSeek-V3 are the sums alone: published are 109 and 400 billion with their parts for images,
// and 671 billion. Whisper's is the encoder alone, without biases and convolutions. Active ones
// count the embedding table.
constexpr PublishedTotal kPublished[] = {
    {"deepseek-v3", 671'026'419'200, 37'552'297'472, 70'272},
    {"gpt-oss-120b", 116'829'156'672, 5'711'982'912, 73'728},
    {"gpt-oss-20b", 20'914'757'184, 4'187'440'704, 49'152},
    {"llama-2-70b", 68'976'648'192, 68'976'648'192, 327'680},
    {"llama-2-7b", 6'738'415'616, 6'738'415'616, 524'288},
    {"llama-3-70b", 70'553'706'496, 70'553'706'496, 327'680},
    {"llama-3-8b", 8'030'261'248, 8'030'261'248, 131'072},
    {"llama-3.1-405b", 405'853'388'800, 405'853'388'800, 516'096},
    {"llama-3.1-70b", 70'553'706'496, 70'553'706'496, 327'680},
    {"llama-3.1-8b", 8'030'261'248, 8'030'261'248, 131'072},
    {"llama-3.2-1b", 1'235'814'400, 1'235'814'400, 32'768},
    {"llama-3.2-3b", 3'212'749'824, 3'212'749'824, 114'688},
    {"llama-4-maverick", 400'711'848'960, 17'184'691'200, 196'608},
    {"llama-4-scout", 107'769'861'120, 17'172'894'720, 196'608},
    {"mistral-7b-v0.3", 7'248'023'552, 7'248'023'552, 131'072},
    {"mixtral-8x22b", 140'620'634'112, 39'152'031'744, 229'376},
    {"mixtral-8x7b", 46'702'792'704, 12'879'925'248, 131'072},
    {"qwen2.5-7b", 7'615'616'512, 7'615'616'512, 57'344},
    {"qwen3-235b-a22b", 235'093'634'560, 22'190'763'520, 192'512},
    {"qwen3-30b-a3b", 30'532'122'624, 3'353'032'704, 98'304},
    {"qwen3-32b", 32'762'123'264, 32'762'123'264, 262'144},
    {"qwen3-8b", 8'190'735'360, 8'190'735'360, 147'456},
    {"smollm2-135m", 134'515'008, 134'515'008, 23'040},
    {"whisper-small-encoder", 86'105'856, 86'105'856, 36'864},
};

TEST(ShippedModels, ParameterTotalsEqualThePublishedOnes) {
  for (const PublishedTotal& published : kPublished) {
    const Architecture a = read_architecture(resolve_model(published.name, kHome));
    EXPECT_EQ(parameter_count(a), published.parameters) << published.name;
    EXPECT_EQ(active_parameter_count(a), published.active) << published.name;
    EXPECT_EQ(a.n_layers * cache_width(a) * 2, published.kv_bytes_per_token) << published.name;
  }
}

TEST(ShippedModels, EveryOneHasAPublishedTotal) {
  std::vector<std::string> names;
  for (const PublishedTotal& published : kPublished) names.emplace_back(published.name);
  EXPECT_EQ(shipped_models(kHome), names);
}

TEST(Registry, AShippedNameIsFoundInAnyCase) {
  const ModelRef ref = resolve_model("Llama-3-8B", kHome);
  EXPECT_EQ(ref.name, "llama-3-8b");
  EXPECT_EQ(ref.config, kHome / "models/llama-3-8b.json");
  EXPECT_TRUE(ref.weights.empty());
}

TEST(Registry, AFolderOrItsConfigIsNamedAfterTheFolder) {
  const fs::path folder = testing::scratch_folder() / "my-model";
  fs::create_directories(folder);
  fs::copy_file(kHome / "models/smollm2-135m.json", folder / "config.json",
                fs::copy_options::overwrite_existing);

  EXPECT_EQ(resolve_model(folder.string(), kHome).name, "my-model");
  EXPECT_EQ(resolve_model((folder / "config.json").string(), kHome).name, "my-model");
  EXPECT_EQ(read_architecture(resolve_model(folder.string() + "/", kHome)).n_layers, 30);
}

TEST(Registry, AGgufPathIsWeights) {
  const fs::path path = testing::scratch_folder() / "tiny.gguf";
  std::ofstream(path) << "GGUF";
  const ModelRef ref = resolve_model(path.string(), kHome);
  EXPECT_EQ(ref.name, "tiny");
  EXPECT_EQ(ref.weights, path);
}

TEST(Registry, ACheckpointIsItsSafetensors) {
  const fs::path folder = testing::write_tiny_checkpoint("my-checkpoint", {}, 2);
  for (const fs::path& path : {folder, folder / "model.safetensors.index.json"}) {
    const ModelRef ref = resolve_model(path.string(), kHome);
    EXPECT_EQ(ref.name, "my-checkpoint");
    EXPECT_EQ(ref.weights, path);
    EXPECT_TRUE(ref.config.empty());
    EXPECT_EQ(read_architecture(ref).d_model, 64);
  }
  const fs::path config = folder / "config.json";  // the shape alone
  EXPECT_EQ(resolve_model(config.string(), kHome).config, config);
}

TEST(RegistryRefuse, AnUnknownNameSuggestsTheNearest) {
  EXPECT_TRUE(says(refusal<MissingInput>([] { resolve_model("lama-3-8b", kHome); }),
                   "did you mean 'llama-3-8b'?"));
}

TEST(RegistryRefuse, OtherFilesAreNotModels) {
  EXPECT_THROW(resolve_model((kHome / "CMakeLists.txt").string(), kHome), InputError);
  EXPECT_THROW(resolve_model((kHome / "src").string(), kHome), MissingInput);
}

}  // namespace
}  // namespace presil

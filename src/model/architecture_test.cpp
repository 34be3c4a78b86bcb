#include "model/architecture.h"

#include <cmath>
#include <memory>
#include <numbers>
#include <string>

#include <gtest/gtest.h>

#include "base/error.h"
#include "model/testing/says.h"

namespace presil {
namespace {

using testing::says;
using Tokens = std::vector<std::int64_t>;

Architecture config(const std::string& text, std::vector<std::string>* ignored = nullptr) {
  const auto source = std::make_shared<Source>(Source{"config.json", text});
  return read_config(parse_document(source, Syntax::json), "test", ignored);
}

/// A small Llama whose last members are `more`.
std::string llama(const std::string& more) {
  return R"({"model_type": "llama", "hidden_size": 64, "intermediate_size": 96,
 "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 100,
 "max_position_embeddings": 128, "rms_norm_eps": 1e-5)" +
         (more.empty() ? "" : ",\n" + more) + "}";
}

std::string refusal(const std::string& text) {
  return testing::refusal<InputError>([&] { config(text); });
}

TEST(Architecture, ReadsTheShapeAndDefaultsOfALlama) {
  const Architecture a = config(llama(""));

  EXPECT_EQ(a.family, "llama");
  EXPECT_EQ(a.head_dim, 64 / 4);
  EXPECT_EQ(a.rope_theta, 10000);  // files of Llama 2 leave it out
  EXPECT_EQ(a.dtype, Format::bf16);
  EXPECT_EQ(a.bos_token, -1);
  EXPECT_FALSE(a.tied_embeddings);
  EXPECT_FALSE(a.qkv_bias);
}

TEST(Architecture, OldAndNewRopeKeysSayTheSame) {
  const std::string scaling =
      R"("factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
         "original_max_position_embeddings": 8192)";
  const Architecture first =
      config(llama(R"("rope_theta": 5e5, "rope_scaling": {"type": "llama3", )" + scaling + "}"));
  const Architecture later = config(
      llama(R"("rope_theta": 500000.0, "rope_scaling": {"rope_type": "llama3", )" + scaling + "}"));
  const Architecture newest = config(llama(
      R"("rope_parameters": {"rope_theta": 500000, "rope_type": "llama3", )" + scaling + "}"));

  EXPECT_EQ(first.rope_scaling.kind, RopeScaling::Kind::llama3);
  EXPECT_EQ(first, later);
  EXPECT_EQ(first, newest);
}

TEST(Architecture, OldAndNewDtypeKeysSayTheSame) {
  EXPECT_EQ(config(llama(R"("torch_dtype": "float16")")).dtype, Format::fp16);
  EXPECT_EQ(config(llama(R"("dtype": "float16")")).dtype, Format::fp16);
}

TEST(Architecture, EndOfTextIsOneTokenOrSeveral) {
  EXPECT_EQ(config(llama(R"("eos_token_id": 2)")).eos_tokens, (Tokens{2}));
  EXPECT_EQ(config(llama(R"("eos_token_id": [2, 7])")).eos_tokens, (Tokens{2, 7}));
}

TEST(Architecture, TheFamilyDecidesBiasesAndNorms) {
  std::string qwen2 = llama(R"("use_sliding_window": false, "sliding_window": 32)");
  qwen2.replace(qwen2.find("llama"), 5, "qwen2");
  std::string qwen3 = llama(R"("head_dim": 32)");
  qwen3.replace(qwen3.find("llama"), 5, "qwen3");
  std::string mistral = llama(R"("sliding_window": 32)");
  mistral.replace(mistral.find("llama"), 5, "mistral");

  EXPECT_TRUE(config(qwen2).qkv_bias);
  EXPECT_EQ(config(qwen2).sliding_window, 0);
  EXPECT_TRUE(config(qwen3).qk_norm);
  EXPECT_EQ(config(qwen3).head_dim, 32);
  EXPECT_EQ(config(mistral).sliding_window, 32);
}

TEST(Architecture, CountsEveryWeightAndBias) {
  Architecture a = config(llama(""));
  // q, o: 64x64; k, v: 64x32; gate, up, down: 64x96; two norms a layer; 100 rows of 64, twice.
  const std::int64_t layer = 2 * 64 * 64 + 2 * 64 * 32 + 3 * 64 * 96 + 2 * 64;
  EXPECT_EQ(parameter_count(a), 2 * layer + 64 + 2 * 100 * 64);

  a.tied_embeddings = true;
  a.qkv_bias = true;
  a.qk_norm = true;
  EXPECT_EQ(parameter_count(a), 2 * (layer + 64 + 32 + 32 + 2 * 16) + 64 + 100 * 64);
}

TEST(Architecture, RotaryFrequenciesFallFromOneByPowersOfTheBase) {
  const Architecture a = config(llama(R"("rope_theta": 10000)"));
  const auto f = rope_frequencies(a);

  ASSERT_EQ(f.size(), 8u);  // half of head_dim 16
  for (std::size_t i = 0; i < f.size(); ++i) {
    EXPECT_DOUBLE_EQ(f[i], std::pow(10000, -2.0 * static_cast<double>(i) / 16));
  }
}

TEST(Architecture, Llama3ScalingKeepsFastFrequenciesAndStretchesSlowOnes) {
  Architecture a = config(llama(R"("head_dim": 128, "rope_theta": 500000)"));
  const auto plain = rope_frequencies(a);
  a.rope_scaling = {RopeScaling::Kind::llama3, 8, 1, 4, 8192};
  const auto scaled = rope_frequencies(a);

  for (std::size_t i = 0; i < plain.size(); ++i) {
    // As transformers writes it (modeling_rope_utils.py, _compute_llama3_parameters).
    const double wavelength = 2 * std::numbers::pi / plain[i];
    double expected = plain[i];
    if (wavelength > 8192 / 1.0) {
      expected = plain[i] / 8;
    } else if (wavelength > 8192 / 4.0) {
      const double smooth = (8192 / wavelength - 1) / (4 - 1);
      expected = (1 - smooth) * plain[i] / 8 + smooth * plain[i];
    }
    EXPECT_NEAR(scaled[i], expected, 1e-15 + 1e-12 * expected) << i;
  }
  EXPECT_EQ(scaled.front(), plain.front());
  EXPECT_DOUBLE_EQ(scaled.back(), plain.back() / 8);
}

TEST(Architecture, LinearScalingDividesEveryFrequency) {
  const auto f =
      rope_frequencies(config(llama(R"("rope_scaling": {"type": "linear", "factor": 2})")));
  EXPECT_DOUBLE_EQ(f.front(), 0.5);
}

TEST(Architecture, ForeignKeysAreNotedAndIgnored) {
  std::vector<std::string> ignored;
  config(llama(R"("my_team_notes": "x", "initializer_range": 0.02)"), &ignored);
  EXPECT_EQ(ignored, std::vector<std::string>{"my_team_notes"});
}

TEST(Architecture, Fp8CheckpointsHoldFp8Weights) {
  const auto with = [](const std::string& how) {
    return llama(R"("torch_dtype": "bfloat16", "quantization_config": )" + how);
  };
  const std::string plain =
      with(R"({"quant_method": "fp8", "fmt": "e4m3", "weight_block_size": [128, 128]})");
  const std::string tensors =
      with(R"({"quant_method": "compressed-tensors", "format": "float-quantized"})");
  for (const std::string& text : {plain, tensors, with(R"({"quant_method": "fbgemm_fp8"})")}) {
    EXPECT_EQ(config(text).dtype, Format::fp8_e4m3) << text;
  }
  EXPECT_EQ(config(with("null")).dtype, Format::bf16);
  EXPECT_TRUE(says(refusal(with(R"({"quant_method": "awq", "bits": 4})")),
                   "quant_method \"awq\" is not supported yet; supported are fp8, fbgemm_fp8"));
}

TEST(ArchitectureRefuse, AMistypedKeyIsAnErrorWithItsPlaceAndASuggestion) {
  const std::string message = refusal(llama(R"("rope_tetha": 500000)"));
  EXPECT_TRUE(says(message, "config.json:4:2"));
  EXPECT_TRUE(says(message, "unknown key 'rope_tetha'; did you mean 'rope_theta'?"));
}

TEST(ArchitectureRefuse, ADuplicateKeyIsAnError) {
  EXPECT_TRUE(says(refusal(llama(R"("hidden_size": 128)")), "config.json:4:"));
}

TEST(ArchitectureRefuse, AWrongTypeNamesKeyFoundAndExpected) {
  std::string text = llama("");
  text.replace(text.find("64"), 2, "\"wide\"");
  EXPECT_TRUE(says(refusal(text), "hidden_size: expected a whole number, found \"wide\""));
}

TEST(ArchitectureRefuse, EveryComplaintIsReportedAtOnce) {
  const std::string message =
      refusal(llama(R"("head_dim": 15, "hidden_act": "gelu", "torch_dtype": "int3")"));
  EXPECT_TRUE(says(message, "even head width, found 15"));
  EXPECT_TRUE(says(message, "\"gelu\" is not supported yet; expected silu"));
  EXPECT_TRUE(says(message, "torch_dtype: expected one of bfloat16, float16, float32"));
}

TEST(ArchitectureRefuse, HeadsMustDivide) {
  std::string text = llama("");
  text.replace(text.find("\"num_key_value_heads\": 2"), 24, "\"num_key_value_heads\": 3");
  EXPECT_TRUE(says(refusal(text), "3 does not divide num_attention_heads 4"));
}

TEST(ArchitectureRefuse, AbsurdSizesAreOutOfRange) {
  std::string text = llama("");
  text.replace(text.find("\"num_hidden_layers\": 2"), 22, "\"num_hidden_layers\": 1e12");
  EXPECT_TRUE(says(refusal(text), "num_hidden_layers"));
}

TEST(ArchitectureRefuse, UnknownFamiliesAndExpertsOfDenseOnes) {
  EXPECT_TRUE(says(refusal(R"({"model_type": "gpt2"})"),
                   "\"gpt2\" is not supported yet; expected one of llama, mistral"));
  EXPECT_TRUE(says(refusal(llama(R"("num_local_experts": 8)")), "a llama model has no experts"));
}

TEST(ArchitectureRefuse, UnknownRopeScalingIsNotSupportedYet) {
  EXPECT_TRUE(says(refusal(llama(R"("rope_scaling": {"type": "yarn", "factor": 4.0})")),
                   "rope_scaling.type: \"yarn\" is not supported yet"));
}

TEST(ArchitectureRefuse, TokensOutsideTheVocabularyAreErrors) {
  EXPECT_TRUE(says(refusal(llama(R"("eos_token_id": [2, 100])")),
                   "expected token numbers below 100, found \"100\""));
}

}  // namespace
}  // namespace presil

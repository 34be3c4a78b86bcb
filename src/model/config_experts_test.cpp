#include "model/config_experts.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "model/registry.h"
#include "model/testing/says.h"

namespace presil {
namespace {

using testing::says;

Architecture shipped(const std::string& name) {
  return read_architecture(resolve_model(name, PRESIL_SOURCE_DIR));
}

/// A small mixture of two layers whose last members are `more`.
std::string mixtral(const std::string& more) {
  return R"({"model_type": "mixtral", "hidden_size": 64, "intermediate_size": 96,
 "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 100,
 "max_position_embeddings": 128, "rms_norm_eps": 1e-5, )" +
         more + "}";
}

std::string refusal(const std::string& text) {
  const auto source = std::make_shared<Source>(Source{"config.json", text});
  return testing::refusal<InputError>(
      [&] { read_config(parse_document(source, Syntax::json), "test"); });
}

TEST(ConfigExperts, LayersWithExpertsAreThoseTheFamilySays) {
  const auto layers = [](const Architecture& a) {
    std::int64_t sum = 0;
    for (std::int64_t l = 0; l < a.n_layers; ++l) sum += has_experts(a, l) ? 1 : 0;
    return sum;
  };
  EXPECT_EQ(layers(shipped("mixtral-8x7b")), 32);
  EXPECT_EQ(layers(shipped("llama-3-8b")), 0);
  EXPECT_EQ(layers(shipped("deepseek-v3")), 61 - 3);  // the first three are dense
  EXPECT_FALSE(has_experts(shipped("deepseek-v3"), 2));
  EXPECT_EQ(layers(shipped("llama-4-maverick")), 24);  // layers 1, 3, 5, ...
  EXPECT_TRUE(has_experts(shipped("llama-4-maverick"), 1));
  EXPECT_EQ(layers(shipped("llama-4-scout")), 48);
}

TEST(ConfigExperts, LayersSeeTheWindowsTheFamilySays) {
  const Architecture oss = shipped("gpt-oss-20b");
  EXPECT_EQ(window_of(oss, 0), Window{128});
  EXPECT_EQ(window_of(oss, 1), Window{});
  const Architecture scout = shipped("llama-4-scout");
  EXPECT_EQ(window_of(scout, 2), (Window{8192, true}));
  EXPECT_EQ(window_of(scout, 3), Window{});
  EXPECT_EQ(window_of(shipped("qwen3-30b-a3b"), 0), Window{});
}

TEST(ConfigExperts, ExpertsOfGptOssAreKeptInMxfp4AndItsBiasesCount) {
  const Architecture oss = shipped("gpt-oss-20b");
  EXPECT_EQ(oss.experts.kept, (Operand{Format::fp4_e2m1, Scaling::mx_32}));
  EXPECT_EQ(oss.dtype, Format::bf16);
  EXPECT_TRUE(oss.qkv_bias && oss.output_bias && oss.sinks && oss.experts.biases);
  EXPECT_EQ(shipped("mixtral-8x7b").experts.kept, std::nullopt);
}

TEST(ConfigExperts, ATokenOfLatentAttentionLeavesRankAndRotatedPart) {
  const Architecture a = shipped("deepseek-v3");
  EXPECT_EQ(cache_width(a), 512 + 64);
  EXPECT_EQ(a.head_dim, 128 + 64);
  EXPECT_EQ(only_timed(a), "a mixture of experts");
  EXPECT_EQ(only_timed(shipped("llama-3-8b")), "");
}

TEST(ConfigExpertsRefuse, MoreExpertsATokenThanThereAre) {
  EXPECT_TRUE(says(refusal(mixtral(R"("num_local_experts": 4, "num_experts_per_tok": 5)")),
                   "num_experts_per_tok: expected at most 4 experts, found 5"));
  EXPECT_TRUE(says(refusal(mixtral(R"("num_experts_per_tok": 2)")), "num_local_experts"));
}

TEST(ConfigExpertsRefuse, LayerTypesThatAreUnknownOrTooFew) {
  const std::string experts =
      R"("num_local_experts": 4, "num_experts_per_tok": 2, "layer_types": )";
  EXPECT_TRUE(says(refusal(mixtral(experts + R"(["linear_attention", "full_attention"])")),
                   "\"linear_attention\" is not supported yet"));
  EXPECT_TRUE(says(refusal(mixtral(experts + R"(["full_attention"])")),
                   "expected 2 kinds, one a layer, found 1"));
}

}  // namespace
}  // namespace presil

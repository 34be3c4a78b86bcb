#include "model/config_speech.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "model/registry.h"
#include "model/testing/says.h"

namespace presil {
namespace {

using testing::says;

std::string refusal(const std::string& text) {
  const auto source = std::make_shared<Source>(Source{"config.json", text});
  return testing::refusal<InputError>(
      [&] { read_config(parse_document(source, Syntax::json), "test"); });
}

/// A small encoder whose last members are `more`.
std::string whisper(const std::string& more) {
  return R"({"model_type": "whisper", "encoder_layers": 2, "encoder_ffn_dim": 128,
 "max_source_positions": 50, )" +
         more + "}";
}

TEST(ConfigSpeech, WhisperSmallsEncoderIsAnEncoder) {
  const Architecture a =
      read_architecture(resolve_model("whisper-small-encoder", PRESIL_SOURCE_DIR));
  EXPECT_EQ(a.n_layers, 12);
  EXPECT_EQ(a.head_dim, 64);
  EXPECT_EQ(a.max_context, 1500);
  EXPECT_TRUE(a.encoder);
  EXPECT_FALSE(a.gated);
  EXPECT_TRUE(window_of(a, 3).both_ways);
  EXPECT_EQ(only_timed(a), "an encoder");
}

TEST(ConfigSpeech, WhatItDoesNotKnowIsRefusedAtItsPlace) {
  EXPECT_TRUE(says(refusal(whisper(R"("d_model": 64, "encoder_attention_heads": 3)")),
                   "3 heads do not divide d_model 64"));
  EXPECT_TRUE(says(refusal(whisper(R"("d_model": 64, "encoder_attention_heads": 2,
 "activation_function": "relu")")),
                   "expected gelu"));
  EXPECT_TRUE(says(refusal(whisper(R"("encoder_attention_heads": 2)")), "d_model"));
}

}  // namespace
}  // namespace presil

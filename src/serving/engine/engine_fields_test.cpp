#include "serving/engine/engine_fields.h"

#include <memory>

#include <gtest/gtest.h>

namespace presil::serving {
namespace {

EngineOptions read(const std::string& text) {
  const Node root = parse_document(std::make_shared<Source>(Source{"e.yaml", text}), Syntax::yaml);
  return read_file(root, "engine", read_engine);
}

std::string complaint(const std::string& text) {
  try {
    read(text);
  } catch (const InputError& e) {
    return e.diagnostics()[0].file + ":" + std::to_string(e.diagnostics()[0].line) + " " +
           e.diagnostics()[0].message;
  }
  return "";
}

TEST(EngineFields, KnobsHaveTheNamesOfVllm) {
  const EngineOptions e = read(
      "presil: engine/1\nmax_num_seqs: 64\nmax_num_batched_tokens: 4096\nblock_size: 32\n"
      "num_gpu_blocks_override: 1000\ngpu_memory_utilization: 0.85\nenable_prefix_caching: false\n"
      "speculative: {num_speculative_tokens: 3, acceptance: 0.7, draft: llama-3.2-1b}\n");
  EXPECT_EQ(e.max_num_seqs, 64);
  EXPECT_EQ(e.max_num_batched_tokens, 4096);
  EXPECT_EQ(e.block_size, 32);
  EXPECT_EQ(e.num_blocks, 1000);
  EXPECT_DOUBLE_EQ(e.gpu_memory_utilization, 0.85);
  EXPECT_TRUE(e.chunked_prefill);
  EXPECT_FALSE(e.prefix_caching);
  EXPECT_EQ(e.speculation.tokens, 3);
  EXPECT_EQ(e.speculation.draft, "llama-3.2-1b");
}

TEST(EngineFields, AnEmptyBlockIsVllmsDefault) {
  const EngineOptions e = read("presil: engine/1\n");
  EXPECT_EQ(e.max_num_seqs, 256);
  EXPECT_EQ(e.max_num_batched_tokens, 2048);
  EXPECT_EQ(e.num_blocks, 0);
}

TEST(EngineFields, WhatNoEngineCanBeIsRefusedWithItsLine) {
  EXPECT_NE(complaint("presil: engine/1\nmax_num_seqs: 0\n").find("e.yaml:2"), std::string::npos);
  EXPECT_NE(complaint("presil: engine/1\nmax_seqs: 4\n").find("max_num_seqs"), std::string::npos);
  EXPECT_NE(complaint("presil: engine/1\nenable_chunked_prefill: false\n").find("max_model_len"),
            std::string::npos);
  EXPECT_NE(complaint("presil: engine/1\nbatching: static\n"
                      "speculative: {num_speculative_tokens: 3, acceptance: 0.7}\n")
                .find("one token a step"),
            std::string::npos);
  EXPECT_NE(complaint("presil: engine/1\n"
                      "speculative: {num_speculative_tokens: 3, acceptance: 1.5}\n")
                .find("e.yaml:2"),
            std::string::npos);
}

}  // namespace
}  // namespace presil::serving

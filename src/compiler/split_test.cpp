// How mixtures of experts, latent attention and pipelines are split over chips.
#include <set>

#include <gtest/gtest.h>

#include "base/testing/numerics.h"
#include "chip/library.h"
#include "compiler/compile.h"
#include "model/registry.h"
#include "program/bind.h"
#include "program/moe.h"
#include "program/text.h"

namespace presil {
namespace {

const std::filesystem::path kHome = PRESIL_SOURCE_DIR;

Architecture model(const std::string& name) {
  return read_architecture(resolve_model(name, kHome));
}

Program compiled(const std::string& model_name, CompileOptions options = {}) {
  if (options.numerics.name.empty()) options.numerics = testing::bf16_numerics();
  const ChipFiles files = load_chip("h100-sxm", {}, kHome);
  return compile(model(model_name), files.chip, files.memory, options).value();
}

std::string refusal(const std::string& model_name, const CompileOptions& options) {
  try {
    compiled(model_name, options);
  } catch (const InputError& e) {
    return e.what();
  }
  return "";
}

bool says(const std::string& message, std::string_view part) {
  return message.find(part) != std::string::npos;
}

/// Of one chip, over all layers.
std::int64_t weight_elements(const Program& p) {
  std::int64_t sum = 0;
  for (const Block& b : p.blocks) {
    std::set<int> weights;
    for (const Kernel& k : b.kernels) weights.insert(k.weights.begin(), k.weights.end());
    for (const int w : weights) sum += b.repeat * p.tensor(w).rows.scale * p.tensor(w).columns;
  }
  return sum;
}

/// What compile.h says is left out.
std::int64_t left_out(const Architecture& a) {
  const Experts& e = a.experts;
  std::int64_t sum = 0;
  for (std::int64_t l = 0; l < a.n_layers; ++l) {
    if (a.output_bias) sum += a.d_model;
    if (a.sinks) sum += a.n_heads;
    if (!has_experts(a, l)) continue;
    if (e.router_bias) sum += e.count;
    if (e.biases) sum += e.count * (2 * e.d_ff + a.d_model);
  }
  return sum;
}

std::vector<std::string> kernel_names(const Block& block) {
  std::vector<std::string> names;
  for (const Kernel& k : block.kernels) names.push_back(k.name);
  return names;
}

const Kernel& kernel(const Program& p, std::string_view name) {
  for (const Block& block : p.blocks) {
    for (const Kernel& k : block.kernels) {
      if (k.name == name) return k;
    }
  }
  throw InternalError("no such kernel: " + std::string(name));
}

std::int64_t bytes_of_input(const Program& p, const Kernel& k, const Step& step) {
  const Tensor& t = p.tensor(k.inputs.front());
  return t.bytes(size_of(t.rows, step, k.over)).count();
}

TEST(Split, MixturesHoldEveryParameterOnce) {
  for (const char* name : {"mixtral-8x7b", "qwen3-30b-a3b", "gpt-oss-20b", "llama-4-scout",
                           "llama-4-maverick", "deepseek-v3"}) {
    const Architecture a = model(name);
    EXPECT_EQ(weight_elements(compiled(name)), parameter_count(a) - left_out(a)) << name;
    EXPECT_LT(left_out(a), parameter_count(a) / 200) << name;
  }
}

TEST(Split, LayersThatAreBuiltAlikeAreOneBlock) {
  const auto repeats = [](const std::string& name) {
    std::vector<std::int64_t> all;
    for (const Block& b : compiled(name).blocks) all.push_back(b.repeat);
    return all;
  };
  EXPECT_EQ(repeats("mixtral-8x7b"), (std::vector<std::int64_t>{1, 32, 1}));
  EXPECT_EQ(repeats("deepseek-v3"), (std::vector<std::int64_t>{1, 3, 58, 1}));
  EXPECT_EQ(repeats("llama-4-scout").size(), 2u + 24);  // 3 chunked, 1 full, twelve times
  EXPECT_EQ(repeats("gpt-oss-20b").size(), 2u + 24);    // window and full in turn
  const Program oss = compiled("gpt-oss-20b");
  EXPECT_EQ(oss.blocks[1].kernels[3].window, Window{128});
  EXPECT_EQ(oss.blocks[2].kernels[3].window, Window{});
}

TEST(Split, TheProgramsRoundTripAsText) {
  CompileOptions options;
  options.tensor_parallel = options.expert_parallel = 8;
  const Program spread = compiled("deepseek-v3", options);
  options = {};
  options.data_parallel = options.expert_parallel = 4;
  const Program remote = compiled("qwen3-30b-a3b", options);
  options = {};
  options.tensor_parallel = 2;
  options.sequence_parallel = true;
  options.pipeline_parallel = 2;
  options.stage = 1;
  const Program staged = compiled("llama-4-scout", options);
  for (const Program* p : {&spread, &remote, &staged}) {
    EXPECT_EQ(parse_program(std::make_shared<Source>(Source{"program", print(*p)})), *p);
  }
}

TEST(Split, ExpertsAreSpreadWholeOrCut) {
  CompileOptions options;
  options.tensor_parallel = 8;
  const Program cut = compiled("mixtral-8x7b", options);
  EXPECT_EQ(kernel(cut, "experts_down").routing.here, 8);
  EXPECT_EQ(kernel(cut, "experts_down").extent(Axis::k).scale, 14336 / 8);
  options.expert_parallel = 8;
  const Program spread = compiled("mixtral-8x7b", options);
  EXPECT_EQ(kernel(spread, "experts_down").routing.here, 1);
  EXPECT_EQ(kernel(spread, "experts_down").extent(Axis::k).scale, 14336);
  options.expert_parallel = 4;  // two chips share two experts, each with half of d_ff
  const Program both = compiled("mixtral-8x7b", options);
  EXPECT_EQ(kernel(both, "experts_down").routing.here, 2);
  EXPECT_EQ(kernel(both, "experts_down").extent(Axis::k).scale, 14336 / 2);
  EXPECT_EQ(weight_elements(cut), weight_elements(spread));
  EXPECT_EQ(weight_elements(cut), weight_elements(both));
  // Chips of the group have all its tokens: nothing is sent but the sums.
  EXPECT_THROW(kernel(spread, "dispatch_all_to_all"), InternalError);
  EXPECT_EQ(kernel(spread, "experts_all_reduce").group, 8);
}

TEST(Split, ReplicasSendPairsToTheExpertsTheyShareAndGetAsManyBack) {
  CompileOptions options;
  options.tensor_parallel = 2;
  options.data_parallel = 4;
  options.expert_parallel = 8;
  const Program p = compiled("qwen3-30b-a3b", options);
  const Step step{std::vector<Sequence>(16, {1, 100})};
  const Kernel& there = kernel(p, "dispatch_all_to_all");
  const Kernel& back = kernel(p, "combine_all_to_all");
  EXPECT_EQ(there.group, 8);
  // 16 tokens on two chips, 8 experts each: 64 pairs a chip; as many come from eight chips.
  EXPECT_EQ(bytes_of_input(p, there, step), 16 / 2 * 8 * 2048 * 2);
  EXPECT_EQ(bytes_of_input(p, back, step), bytes_of_input(p, there, step));
  const ExpertLoad load = expert_load(kernel(p, "experts_down"), step);
  EXPECT_EQ(load.pairs, 4 * 16 * 8 / 8);
  EXPECT_EQ(load.experts, 128 / 8);
}

TEST(Split, LatentAttentionIsAbsorbedForDecodesAndExpandedForPrompts) {
  const Program p = compiled("deepseek-v3");
  const auto runs = [&](const Step& step, std::string_view name) {
    Program small = p;
    small.dram_capacity = Bytes(std::int64_t{1} << 50);
    const BoundProgram bound = bind(small, step).value();
    for (const BoundKernel& k : bound.blocks[1].kernels) {
      if (k.kernel->name == name) return true;
    }
    return false;
  };
  const Step decode{{{1, 100}, {1, 7}}}, prefill{{{64, 0}}}, mixed{{{1, 100}, {64, 0}}};
  EXPECT_TRUE(runs(decode, "attention_absorbed") && !runs(decode, "attention_expanded"));
  EXPECT_TRUE(!runs(prefill, "attention_absorbed") && runs(prefill, "attention_expanded"));
  EXPECT_TRUE(runs(mixed, "attention_absorbed") && runs(mixed, "attention_expanded"));
  // A token leaves 576 numbers in each layer, whatever the number of heads.
  const Tensor& cache = p.tensor(p.find("latent_cache"));
  EXPECT_EQ(cache.bytes(cache.rows.scale).count(), (512 + 64) * 2);
}

TEST(Split, StagesOfAPipelineTogetherAreTheModel) {
  const Program whole = compiled("llama-3-8b");
  CompileOptions options;
  options.pipeline_parallel = 4;
  std::int64_t elements = 0;
  for (options.stage = 0; options.stage < 4; ++options.stage) {
    const Program stage = compiled("llama-3-8b", options);
    elements += weight_elements(stage);
    const Block& layers = stage.blocks[options.stage == 0 ? 1 : 0];
    EXPECT_EQ(layers.first_layer, 8 * options.stage);
    EXPECT_EQ(layers.repeat, 8);
    // Its cache is that of its own layers.
    const BoundProgram bound = bind(stage, {{{1, 1000}}}).value();
    EXPECT_EQ((bound.dram_footprint - stage.weight_footprint).count(),
              8 * bound.cache_layer_stride);
    const bool last = options.stage == 3;
    EXPECT_EQ(kernel_names(stage.blocks.back()).back(), last ? "argmax" : "send");
  }
  EXPECT_EQ(elements, weight_elements(whole));
}

TEST(Split, LayersLeftOverGoBeforeTheStageWithTheHead) {
  // vLLM deals DeepSeek's 61 layers to 4 stages as 15, 15, 16, 15.
  CompileOptions options;
  options.pipeline_parallel = 4;
  std::int64_t first = 0;
  for (const std::int64_t wanted : {15, 15, 16, 15}) {
    const Program stage = compiled("deepseek-v3", options);
    EXPECT_EQ(stage.split.first_layer, first);
    std::int64_t layers = 0;
    for (const Block& b : stage.blocks) layers += b.name == "layer" ? b.repeat : 0;
    EXPECT_EQ(layers, wanted) << options.stage;
    first += layers;
    ++options.stage;
  }
}

TEST(Split, SequenceParallelismMovesTheSameBytesInTwoHalves) {
  CompileOptions options;
  options.tensor_parallel = 4;
  const Program plain = compiled("llama-3-8b", options);
  options.sequence_parallel = true;
  const Program spread = compiled("llama-3-8b", options);
  const Step step{{{512, 0}}};
  // An all-reduce sends 2 (p - 1) / p of its input; the two halves (p - 1) / p of it each, the
  // all-gather's input being a pth of it.
  const std::int64_t whole = bytes_of_input(plain, kernel(plain, "down_all_reduce"), step);
  EXPECT_EQ(bytes_of_input(spread, kernel(spread, "down_reduce_scatter"), step), whole);
  EXPECT_EQ(4 * bytes_of_input(spread, kernel(spread, "ffn_norm_all_gather"), step), whole);
  EXPECT_EQ(weight_elements(spread), weight_elements(plain));
}

TEST(SplitRefuse, WhatDoesNotDivide) {
  CompileOptions tp;
  tp.tensor_parallel = 5;
  EXPECT_TRUE(says(refusal("mixtral-8x7b", tp), "--tp 5 does not divide the 32 attention heads"));
  CompileOptions ep;
  ep.expert_parallel = 3;
  EXPECT_TRUE(says(refusal("mixtral-8x7b", ep), "--ep 3 does not divide the 8 experts"));
  ep.expert_parallel = 4;
  EXPECT_TRUE(says(refusal("mixtral-8x7b", ep), "--ep 4: expected a divisor of --tp 1"));
  EXPECT_TRUE(says(refusal("llama-3-8b", ep), "--ep 4: llama-3-8b has no experts"));
  CompileOptions pp;
  pp.pipeline_parallel = 33;
  EXPECT_TRUE(says(refusal("llama-3-8b", pp), "--pp 33: more stages than the 32 layers"));
  CompileOptions sp;
  sp.sequence_parallel = true;
  EXPECT_TRUE(says(refusal("llama-3-8b", sp), "give --tp as well"));
  CompileOptions busy;
  busy.expert_imbalance = 0.5;
  EXPECT_TRUE(says(refusal("mixtral-8x7b", busy), "--expert-imbalance: expected 1 or more"));
}

}  // namespace
}  // namespace presil

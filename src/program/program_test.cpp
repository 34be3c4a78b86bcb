#include <gtest/gtest.h>

#include "base/testing/numerics.h"
#include "program/bind.h"
#include "program/text.h"

namespace presil {
namespace {

constexpr std::int64_t kLayers = 3;

/// Two kernels a layer, enough to have every kind of line: x -> h by a norm, h x w -> x, and a
/// cache.
Program small_program() {
  Program p;
  p.model = "tiny";
  p.chip = "toy";
  p.numerics = testing::ggml_numerics();
  p.cores = 4;
  p.local_memory = 64_KiB;
  p.shared_memory = 1_MiB;
  p.dram_capacity = 1_GiB;
  p.dram_unit = Bytes(1024);
  p.max_context = 100;
  p.weight_footprint = Bytes(10240);
  p.tensors = {
      {"x", Role::activation, Format::fp32, Scaling::none, {1, Symbol::T}, 64, 0, 0},
      {"h", Role::activation, Format::fp32, Scaling::none, {1, Symbol::T}, 64, 0, 0},
      {"k_cache", Role::cache, Format::fp32, Scaling::none, {1, Symbol::C}, 16, 0, 0},
      {"v_cache", Role::cache, Format::fp32, Scaling::none, {1, Symbol::C}, 16, 0, 0},
      {"blk.*.norm.weight",
       Role::weight,
       Format::fp32,
       Scaling::none,
       {1, Symbol::one},
       64,
       0,
       3072},
      {"blk.*.w.weight",
       Role::weight,
       Format::q4_1,
       Scaling::none,
       {64, Symbol::one},
       64,
       1024,
       3072},
  };
  Kernel norm;
  norm.name = "norm";
  norm.op = Op::rmsnorm;
  norm.multiply = Format::fp32;
  norm.inputs = {0};
  norm.weights = {4};
  norm.outputs = {1};
  norm.extents[static_cast<std::size_t>(Axis::m)] = {1, Symbol::T};
  norm.extents[static_cast<std::size_t>(Axis::n)] = {64, Symbol::one};
  norm.mappings = {{kAnyRows, {{Axis::m, 1, Over::cores}, {Axis::n, 64, Over::time}}, 1}};
  Kernel product = norm;
  product.name = "w";
  product.op = Op::gemm;
  product.epilogue = Epilogue::add;
  product.multiply = Format::int8;
  product.inputs = {1};
  product.weights = {5};
  product.outputs = {0, 2, 3};
  product.extents[static_cast<std::size_t>(Axis::k)] = {64, Symbol::one};
  product.mappings = {
      {16, {{Axis::n, 16, Over::cores}, {Axis::m, 1, Over::cores}, {Axis::k, 64, Over::time}}, 1},
      {kAnyRows, {{Axis::n, 32, Over::cores}, {Axis::k, 32, Over::time}}, 2}};
  p.blocks = {{"layer", kLayers, {norm, product}}};
  return p;
}

/// The same with everything that only some kernels have.
Program peculiar_program() {
  Program p = small_program();
  p.split = {2, 8, 4, 1, 3, true};
  Kernel& norm = p.blocks.front().kernels[0];
  norm.extents[static_cast<std::size_t>(Axis::m)] = {3, Symbol::T, 8};
  norm.over = Subset::decode;
  norm.window = {32, true};
  norm.group = 8;
  Kernel& product = p.blocks.front().kernels[1];
  product.op = Op::grouped_gemm;
  product.window = {128, false, true};
  product.epilogue = Epilogue::gelu;
  product.routing = {256, 32, 8, 2, 1.25};
  return p;
}

Program reread(const Program& p) {
  return parse_program(std::make_shared<Source>(Source{"program.txt", print(p)}));
}

TEST(ProgramText, RoundTripsWhatOnlySomeKernelsHave) {
  const Program p = peculiar_program();
  EXPECT_EQ(reread(p), p);
}

TEST(Bind, LeavesOutKernelsThatHaveNoSequences) {
  Program p = small_program();
  p.blocks.front().kernels[1].over = Subset::prefill;
  EXPECT_EQ(bind(p, {{{1, 5}}}).value().blocks.front().kernels.size(), 1u);
  const BoundProgram mixed = bind(p, {{{1, 5}, {4, 0}, {3, 2}}}).value();
  ASSERT_EQ(mixed.blocks.front().kernels.size(), 2u);
  EXPECT_EQ(mixed.blocks.front().kernels[0].extent(Axis::m), 8);
  EXPECT_EQ(mixed.blocks.front().kernels[1].extent(Axis::m), 7);  // of the two with several
}

TEST(Bind, PartsOfAnExtentAreRoundedUp) {
  const Step step{{{5, 0}, {6, 1}}};
  EXPECT_EQ(size_of({1, Symbol::T}, step), 11);
  EXPECT_EQ(size_of({2, Symbol::T, 8}, step), 3);  // 22 / 8
  EXPECT_EQ(size_of({1, Symbol::K}, step), 12);
  EXPECT_EQ(size_of({1, Symbol::K}, step, Subset::decode), 0);
}

TEST(ProgramText, RoundTrips) {
  const Program p = small_program();
  EXPECT_EQ(reread(p), p) << print(p);
}

TEST(ProgramText, ShowsAKernelAsAPersonWouldWriteIt) {
  const std::string text = print(small_program());
  EXPECT_NE(text.find("  gemm w [m=T n=64 k=64] in int8 then add\n"
                      "    h * blk.*.w.weight -> x k_cache v_cache\n"
                      "    map rows <= 16: n/16 cores, m/1 cores, k/64 time\n"
                      "    map any rows: n/32 cores, k/32 time, split k by 2\n"),
            std::string::npos)
      << text;
}

TEST(ProgramText, RefusesWhatItDidNotWriteWithThePlace) {
  std::string text = print(small_program());
  text.replace(text.find("k/64 time"), 9, "k/64 later");
  try {
    parse_program(std::make_shared<Source>(Source{"program.txt", text}));
    FAIL();
  } catch (const InputError& e) {
    EXPECT_EQ(e.diagnostics()[0].file, "program.txt");
    EXPECT_NE(e.diagnostics()[0].message.find("found \"later\""), std::string::npos);
    EXPECT_GT(e.diagnostics()[0].line, 10);
  }
}

TEST(ProgramText, RefusesNumericsThatItDoesNotKnow) {
  std::string text = print(small_program());
  text.replace(text.find("kv_cache=fp32"), 13, "kv_cache=fp7");
  EXPECT_THROW(parse_program(std::make_shared<Source>(Source{"program.txt", text})), InputError);
}

TEST(ProgramText, RefusesNumericsThatNothingComputes) {
  std::string text = print(small_program());
  text.replace(text.find("sum=fp32"), 8, "sum=int32");
  text.replace(text.find("activations=ggml"), 16, "activations=bf16");
  EXPECT_THROW(parse_program(std::make_shared<Source>(Source{"program.txt", text})), InputError);
}

TEST(ProgramText, KeepsEveryFieldOfItsNumerics) {
  Program p = small_program();
  Numerics& n = p.numerics;
  n = {.name = "all*",
       .products = {.weights = Operand{Format::fp8_e4m3, Scaling::block_128},
                    .activations = Operand{Format::fp8_e5m2, Scaling::group_128},
                    .accumulator = {.kind = Accumulator::Kind::aligned,
                                    .group = 32,
                                    .bits = 13,
                                    .rounding = Accumulator::Rounding::truncate,
                                    .promote_every = 128},
                    .overflow = Overflow::infinite},
       .head = testing::bf16_numerics().products,
       .kv_cache = {Format::int8, Scaling::token},
       .attention = Format::fp16,
       .stream = Format::bf16,
       .functions = {VectorFunctions::Kind::table, 64},
       .smoothing = 0.55};
  p.tensors[5].format = Format::fp4_e2m1;
  p.tensors[5].scaling = Scaling::nv_16;
  EXPECT_EQ(reread(p), p) << print(p);
}

TEST(ProgramText, TellsTheTensorsOfBlocksOfLayersApart) {
  Program p = small_program();
  p.tensors.push_back(p.tensors[4]);  // norm and w of a second block of layers
  p.tensors.push_back(p.tensors[5]);
  p.tensors.back().format = Format::q8_0;
  p.blocks.push_back(p.blocks[0]);
  p.blocks[1].first_layer = kLayers;
  p.blocks[1].kernels[0].weights = {6};
  p.blocks[1].kernels[1].weights = {7};
  EXPECT_EQ(reread(p), p) << print(p);
  EXPECT_NE(print(p).find("weight blk.*.w.weight#2 q8_0"), std::string::npos) << print(p);
  EXPECT_NE(print(p).find("block layer x 3 from 3"), std::string::npos) << print(p);
}

TEST(ProgramText, SurvivesBeingCutAnywhere) {
  const std::string text = print(small_program());
  for (std::size_t length = 0; length < text.size(); ++length) {
    try {
      parse_program(std::make_shared<Source>(Source{"program.txt", text.substr(0, length)}));
    } catch (const InputError&) {
    }
  }
}

TEST(Bind, TakesTheFirstMappingThatCoversTheRows) {
  const Program p = small_program();
  const auto few = bind(p, Step{{{16, 0}}}).value();
  const auto many = bind(p, Step{{{10, 0}, {7, 5}}}).value();
  EXPECT_EQ(few.blocks[0].kernels[1].mapping, &p.blocks[0].kernels[1].mappings[0]);
  EXPECT_EQ(many.blocks[0].kernels[1].mapping, &p.blocks[0].kernels[1].mappings[1]);
  EXPECT_EQ(many.blocks[0].kernels[1].extent(Axis::m), 17);
}

TEST(Bind, LaysTheCacheOutBehindTheWeights) {
  const Program p = small_program();
  const auto bound = bind(p, Step{{{1, 9}, {1, 19}}}).value();
  // A row is 16 fp32 = 64 bytes; 10 and 20 rows are 640 and 1280 bytes, together two units of 1024.
  EXPECT_EQ(bound.cache_offsets, (std::vector<std::int64_t>{0, 640}));
  EXPECT_EQ(bound.placements[2].address, 10240);
  EXPECT_EQ(bound.placements[2].size, Bytes(2048));
  EXPECT_EQ(bound.placements[3].address, 10240 + 2048);
  EXPECT_EQ(bound.cache_layer_stride, 2 * 2048);
  EXPECT_EQ(bound.dram_footprint, Bytes(10240 + kLayers * 2 * 2048));
}

TEST(Bind, ASequenceHasWholePagesOfTheCache) {
  const Program p = small_program();
  const auto bound = bind(p, Step{{{1, 9}, {1, 19}}, 16}).value();
  // 10 and 20 rows of 64 bytes are one page of 16 and two.
  EXPECT_EQ(bound.cache_offsets, (std::vector<std::int64_t>{0, 16 * 64}));
  EXPECT_EQ(bound.placements[2].size, Bytes(3 * 16 * 64));
  EXPECT_THROW(bind(p, Step{{{1, 9}}, 0}), InputError);
  EXPECT_THROW(bind(p, Step{{{1, 9}}, std::int64_t{1} << 40}), InputError);
}

TEST(Bind, ACacheKeepsARowForEachHeadAndToken) {
  Program p = small_program();
  for (const int cache : {2, 3}) {
    Tensor& t = p.tensors[static_cast<std::size_t>(cache)];
    t.format = Format::int8;
    t.scaling = Scaling::token;
    t.rows = {4, Symbol::C};
    t.columns = 64;
  }
  p.blocks[0].first_layer = 2;  // layers 2, 3 and 4
  const auto bound = bind(p, Step{{{1, 9}, {1, 19}}}).value();
  // A token is 4 x (64 + 4) = 272 bytes; 10 and 20 tokens are 2720 and 5440, on units of 1024.
  EXPECT_EQ(bound.cache_offsets, (std::vector<std::int64_t>{0, 2720}));
  EXPECT_EQ(bound.placements[2].size, Bytes(8192));
  EXPECT_EQ(bound.dram_footprint, Bytes(10240 + 5 * 2 * 8192));
}

TEST(Bind, WhatABlockWritesFirstIsNotKeptFromTheBlockBefore) {
  Program p = small_program();
  p.tensors.push_back(p.tensors[1]);
  p.tensors.back().name = "g";
  // x -> h -> x in one block, x -> g -> x in the next: h and g may share their place.
  p.blocks.push_back(p.blocks[0]);
  p.blocks[1].kernels[0].outputs = {6};
  p.blocks[1].kernels[1].inputs = {6};
  const auto bound = bind(p, Step{{{5, 0}}}).value();
  EXPECT_EQ(bound.placements[1].address, bound.placements[6].address);
  EXPECT_NE(bound.placements[0].address, bound.placements[1].address);
}

TEST(Bind, LiveActivationsDoNotOverlap) {
  const Program p = small_program();
  const auto bound = bind(p, Step{{{5, 0}}}).value();
  const Placement& x = bound.placements[0];
  const Placement& h = bound.placements[1];
  EXPECT_EQ(x.level, Level::shared);
  EXPECT_TRUE(x.address + x.size.count() <= h.address || h.address + h.size.count() <= x.address);
}

TEST(Bind, WhatDoesNotFitSharedMemoryGoesToDram) {
  Program p = small_program();
  p.max_context = 10000;
  const auto bound = bind(p, Step{{{4096, 0}}}).value();  // x and h are 1 MiB each
  EXPECT_EQ(bound.placements[0].level, Level::shared);
  EXPECT_EQ(bound.placements[1].level, Level::dram);
}

TEST(Bind, SaysByHowMuchAModelIsTooLargeAndWhatWouldFit) {
  Program p = small_program();
  p.weight_footprint = Bytes(3) * (1LL << 30);
  const auto bound = bind(p, Step{{{1, 0}}});
  ASSERT_FALSE(bound.has_value());
  EXPECT_NE(bound.error().reason.find("2.1 GB too much"), std::string::npos)
      << bound.error().reason;
  EXPECT_NE(bound.error().remedy.find("--tp 4"), std::string::npos) << bound.error().remedy;
}

TEST(Bind, RefusesSequencesThatAreEmptyOrTooLong) {
  const Program p = small_program();
  EXPECT_THROW(bind(p, Step{}), InputError);
  EXPECT_THROW(bind(p, Step{{{0, 5}}}), InputError);
  EXPECT_THROW(bind(p, Step{{{1, 100}}}), InputError);
  EXPECT_TRUE(bind(p, Step{{{1, 99}}}).has_value());
}

TEST(Bind, RefusesStepsThatNoCounterHolds) {
  Program p = small_program();
  EXPECT_THROW(bind(p, Step{{{1, INT64_MAX}}}), InputError);
  p.max_context = 1 << 27;
  const Step vast{std::vector<Sequence>(65536, {1 << 27, 0})};
  EXPECT_THROW(bind(p, vast), LimitReached);
  p.weight_footprint = Bytes(3) * (1LL << 30);  // whose weights alone do not fit is an answer
  EXPECT_FALSE(bind(p, vast).has_value());
}

}  // namespace
}  // namespace presil

#include "compiler/compile.h"

#include <array>

#include <gtest/gtest.h>

#include "base/testing/numerics.h"
#include "chip/dram_shape.h"
#include "chip/engine_time.h"
#include "chip/library.h"
#include "compiler/tiling.h"
#include "model/registry.h"
#include "program/bind.h"
#include "program/text.h"

namespace presil {
namespace {

const std::filesystem::path kHome = PRESIL_SOURCE_DIR;

Architecture model(const std::string& name) {
  return read_architecture(resolve_model(name, kHome));
}
ChipFiles chip(const std::string& name) {
  return load_chip(name, {}, kHome);
}

Program compiled(const std::string& chip_name, const std::string& model_name,
                 CompileOptions options = {}) {
  if (options.numerics.name.empty()) options.numerics = testing::bf16_numerics();
  const ChipFiles files = chip(chip_name);
  return compile(model(model_name), files.chip, files.memory, options).value();
}

CompileOptions with_numerics(const std::string& name) {
  CompileOptions options;
  options.numerics = load_numerics(name, {}, kHome).numerics;
  return options;
}

Operand kept(const Program& p, const std::string& tensor) {
  const Tensor& t = p.tensor(p.find(tensor));
  return {t.format, t.scaling};
}

const Kernel& kernel(const Program& p, std::string_view name) {
  for (const Block& block : p.blocks) {
    for (const Kernel& k : block.kernels) {
      if (k.name == name) return k;
    }
  }
  throw InternalError("no such kernel");
}

std::int64_t weight_elements(const Program& p) {
  std::int64_t sum = 0;
  for (const Tensor& t : p.tensors) {
    const std::int64_t layers = t.layer_stride > 0 ? p.blocks[1].repeat : 1;
    if (t.role == Role::weight) sum += t.rows.scale * t.columns * layers;
  }
  return sum;
}

TEST(Compile, HoldsEveryParameterOnce) {
  for (const char* name : {"llama-3-8b", "smollm2-135m", "qwen3-8b", "qwen2.5-7b", "llama-3.2-1b",
                           "whisper-small-encoder"}) {
    EXPECT_EQ(weight_elements(compiled("h100-sxm", name)), parameter_count(model(name))) << name;
  }
}

TEST(Compile, TensorParallelismCutsMatricesAndKeepsNorms) {
  CompileOptions options;
  options.tensor_parallel = 8;
  const Architecture m = model("llama-3-70b");
  const std::int64_t norms = m.n_layers * 2 * m.d_model + m.d_model;
  EXPECT_EQ(weight_elements(compiled("h100-sxm", "llama-3-70b", options)),
            (parameter_count(m) - norms) / 8 + norms);
}

TEST(Compile, TheProgramRoundTripsAsText) {
  CompileOptions options;
  options.tensor_parallel = 4;
  for (const char* name : {"h100-sxm", "artemis-hbm3e", "snapdragon-8-elite"}) {
    options.tensor_parallel = std::string(name) == "snapdragon-8-elite" ? 1 : 4;
    const Program p = compiled(name, "llama-3-8b", options);
    const auto source = std::make_shared<Source>(Source{"program", print(p)});
    EXPECT_EQ(parse_program(source), p) << name;
  }
}

TEST(Compile, WeightsDoNotOverlapAndProductsReadOneStretch) {
  const Program p = compiled("artemis-hbm3e", "llama-3-8b");
  std::int64_t end = 0;
  for (const Tensor& t : p.tensors) {
    if (t.role != Role::weight) continue;
    EXPECT_GE(t.base, end) << t.name;
    const std::int64_t layers = t.layer_stride > 0 ? p.blocks[1].repeat : 1;
    const std::int64_t size = bytes_of(t.format, t.columns).count() * t.rows.scale;
    if (layers == 1) end = t.base + size;
  }
  const Tensor& q = p.tensor(p.find("blk.*.attn_q.weight"));
  const Tensor& k = p.tensor(p.find("blk.*.attn_k.weight"));
  EXPECT_EQ(k.base, q.base + bytes_of(q.format, q.columns).count() * q.rows.scale);
}

TEST(Compile, TilesAndTheirBuffersFitLocalMemory) {
  for (const char* name : {"h100-sxm", "mtia-v1", "trainium2", "snapdragon-8-elite"}) {
    const ChipFiles files = chip(name);
    for (const std::int64_t m : {1, 16, 512, 8192}) {
      GemmShape shape;
      shape.m = m;
      shape.n = 28672;
      shape.k = 4096;
      shape.multiply = files.chip.core.matrix.macs_per_cycle.begin()->first;
      const Mapping map =
          choose_gemm_mapping(shape, files.chip, peak_bandwidth(files.memory, files.chip.dram))
              .value();
      const std::int64_t tm = map.tile(Axis::m);
      const std::int64_t tn = map.tile(Axis::n);
      const std::int64_t tk = map.tile(Axis::k);
      EXPECT_LE(map.buffers * 2 * (std::min(tm, m) + tn) * tk + 4 * std::min(tm, m) * tn,
                files.chip.core.sram.size.count())
          << name;
      EXPECT_EQ(tk % 32, 0) << name;
    }
  }
}

TEST(Compile, NumericsSayWhatWeightsAndCachesAreKeptIn) {
  const Program hopper = compiled("h100-sxm", "llama-3-8b", with_numerics("fp8-hopper"));
  EXPECT_EQ(kept(hopper, "blk.*.ffn_up.weight"), (Operand{Format::fp8_e4m3, Scaling::block_128}));
  EXPECT_EQ(kept(hopper, "output.weight"), Operand{Format::bf16});
  EXPECT_EQ(kept(hopper, "token_embd.weight"), Operand{Format::bf16});  // only looked up in
  EXPECT_EQ(kept(hopper, "blk.*.attn_norm.weight"), Operand{Format::bf16});
  EXPECT_EQ(kept(hopper, "x"), Operand{Format::bf16});

  // Tied: the table is the head's weight. MTIA's set has the same arithmetic for the head.
  const Program tied = compiled("mtia-v2", "llama-3.2-1b", with_numerics("int8-mtia"));
  EXPECT_EQ(kept(tied, "token_embd.weight"), (Operand{Format::int8, Scaling::channel}));

  CompileOptions cached = with_numerics("bf16");
  cached.numerics.kv_cache = {Format::int8, Scaling::token};
  const Program int8_cache = compiled("h100-sxm", "llama-3-8b", cached);
  EXPECT_EQ(kept(int8_cache, "k_cache"), cached.numerics.kv_cache);
  // A row is one key of one of eight KV heads: 128 bytes and its scale.
  const Tensor& keys = int8_cache.tensor(int8_cache.find("k_cache"));
  EXPECT_EQ(keys.rows, (Extent{8, Symbol::C}));
  EXPECT_EQ(keys.bytes(1), Bytes(132));
}

TEST(Compile, WeightsStayAsTheyAreStoredWhereNumericsLeaveThem) {
  CompileOptions options = with_numerics("ggml");
  options.weights = Format::q4_0;
  const Program p = compiled("h100-sxm", "llama-3-8b", options);
  EXPECT_EQ(kept(p, "blk.*.ffn_up.weight"), Operand{Format::q4_0});
  EXPECT_EQ(kept(p, "token_embd.weight"), Operand{Format::q4_0});
  EXPECT_EQ(kept(p, "k_cache"), Operand{Format::fp32});
}

TEST(Compile, AnEngineMultipliesTheOperandsOrWhatHoldsThem) {
  const auto multiplied = [](const std::string& chip_name, const std::string& numerics) {
    const Program p = compiled(chip_name, "llama-3.2-1b", with_numerics(numerics));
    return kernel(p, "gate_up").multiply;
  };
  EXPECT_EQ(multiplied("h100-sxm", "fp8-hopper"), Format::fp8_e4m3);
  EXPECT_EQ(multiplied("h100-sxm", "mxfp4"), Format::fp8_e4m3);  // no fp4: fp8 holds it
  EXPECT_EQ(multiplied("h100-sxm", "w4a16"), Format::bf16);      // the activations' format
  EXPECT_EQ(multiplied("mtia-v2", "fp8-hopper"), Format::bf16);  // no fp8
  EXPECT_EQ(multiplied("mtia-v2", "int8-mtia"), Format::int8);
  EXPECT_EQ(multiplied("trainium2", "int8-mtia"), Format::bf16);  // no int8
  EXPECT_EQ(multiplied("snapdragon-8-elite", "bf16"), Format::fp16);
  const Program smooth = compiled("mtia-v2", "llama-3.2-1b", with_numerics("int8-smooth"));
  EXPECT_EQ(kernel(smooth, "lm_head").multiply, Format::bf16);  // the head's own
}

/// As Q4_K_M files are: ffn_down in q6_K in some layers, here 0, 1, 5 and 15 of 16.
std::optional<Operand> mixed_format(std::string_view name) {
  if (name.ends_with("norm.weight")) return Operand{Format::fp32};
  for (const char* wide : {"blk.0.ffn_d", "blk.1.ffn_d", "blk.5.ffn_d", "blk.15.ffn_d"}) {
    if (name.starts_with(wide)) return Operand{Format::q6_K};
  }
  return Operand{name == "token_embd.weight" ? Format::q6_K : Format::q4_K};
}

TEST(Compile, LayersThatAreStoredAlikeAndFollowEachOtherAreOneBlock) {
  CompileOptions options = with_numerics("ggml");
  options.stored_as = mixed_format;
  const Program p = compiled("h100-sxm", "llama-3.2-1b", options);

  std::vector<std::array<std::int64_t, 2>> blocks;  // {first layer, repeat}
  for (const Block& b : p.blocks) {
    if (b.name == "layer") blocks.push_back({b.first_layer, b.repeat});
  }
  EXPECT_EQ(blocks,
            (std::vector<std::array<std::int64_t, 2>>{{0, 2}, {2, 3}, {5, 1}, {6, 9}, {15, 1}}));

  // Every weight is there once, in its layer's format.
  const Architecture m = model("llama-3.2-1b");
  std::int64_t q6_K = 0;
  std::int64_t end = 0;
  for (const Block& b : p.blocks) {
    for (const Kernel& k : b.kernels) {
      for (const int w : k.weights) {
        const Tensor& t = p.tensor(w);
        if (!is_in_layers(t.name)) continue;
        const std::string first = name_in_layer(t.name, b.first_layer);
        EXPECT_EQ(t.format, mixed_format(first)->format) << first;
        if (t.format == Format::q6_K) q6_K += b.repeat * t.rows.scale * t.columns;
        EXPECT_GE(t.base, end) << first;  // behind the block before
      }
      if (&k == &b.kernels.back() && b.name == "layer") {
        const Tensor& last = p.tensor(k.weights.back());
        end = last.base + (b.repeat - 1) * last.layer_stride + last.bytes(last.rows.scale).count();
      }
    }
  }
  EXPECT_EQ(q6_K, 4 * m.d_ff * m.d_model);
  EXPECT_EQ(parse_program(std::make_shared<Source>(Source{"program", print(p)})), p);
}

TEST(Compile, MixedLayersShareOneCacheAndOneSetOfActivations) {
  CompileOptions options = with_numerics("ggml");
  options.weights = Format::q4_K;
  const Program even = compiled("h100-sxm", "llama-3.2-1b", options);
  options.stored_as = mixed_format;
  const Program mixed = compiled("h100-sxm", "llama-3.2-1b", options);

  const Step step{{{3, 70}}};
  const BoundProgram one = bind(even, step).value();
  const BoundProgram many = bind(mixed, step).value();
  // 16 layers of cache behind the weights, whichever block a layer is in.
  EXPECT_EQ((many.dram_footprint - mixed.weight_footprint).count(), 16 * many.cache_layer_stride);
  EXPECT_EQ(many.cache_layer_stride, one.cache_layer_stride);
  for (const char* name : {"x", "h", "qkv", "q", "attn", "f", "last", "logits"}) {
    const auto at = [&](const BoundProgram& bound) {
      return bound.placements[static_cast<std::size_t>(bound.program->find(name))];
    };
    EXPECT_EQ(at(many).address, at(one).address) << name;
    EXPECT_EQ(at(many).level, at(one).level) << name;
  }
}

TEST(Compile, TilesAlongKEndWhereBlocksAndScalesEnd) {
  const auto tiles_are_multiples = [](const Program& p, std::int64_t of) {
    for (const Block& b : p.blocks) {
      for (const Kernel& k : b.kernels) {
        if (k.op != Op::gemm || k.name == "lm_head") continue;
        for (const Mapping& m : k.mappings) EXPECT_EQ(m.tile(Axis::k) % of, 0) << k.name;
      }
    }
  };
  CompileOptions k_quants = with_numerics("ggml");
  k_quants.stored_as = mixed_format;
  for (const char* name : {"h100-sxm", "mtia-v2", "trainium2"}) {
    tiles_are_multiples(compiled(name, "llama-3.2-1b", k_quants), 256);
    tiles_are_multiples(compiled(name, "llama-3.2-1b", with_numerics("fp8-hopper")), 128);
  }
}

/// As FP8 checkpoints are: a scale in fp32 for each 128 x 128 elements of the layers' matrices.
TEST(Compile, TheScalesOfAFileAreBytesOfTheProgram) {
  CompileOptions options = with_numerics("ggml");
  const auto footprint = [&](Scaling scaling) {
    options.stored_as = [=](std::string_view name) -> std::optional<Operand> {
      if (name.ends_with("norm.weight")) return Operand{Format::fp32};
      if (name == "token_embd.weight") return Operand{Format::bf16};
      return Operand{Format::fp8_e4m3, scaling};
    };
    const Program p = compiled("h100-sxm", "llama-3.2-1b", options);
    Bytes sum(0);
    for (const Tensor& t : p.tensors) {
      if (is_in_layers(t.name)) sum += t.bytes(t.rows.scale);
    }
    return sum.count();
  };
  const Architecture m = model("llama-3.2-1b");
  const std::int64_t q = m.n_heads * m.head_dim, kv = m.n_kv_heads * m.head_dim;
  const std::int64_t elements = m.d_model * (2 * q + 2 * kv + 3 * m.d_ff);  // of a layer
  EXPECT_EQ(footprint(Scaling::block_128) - footprint(Scaling::none), elements / (128 * 128) * 4);
  EXPECT_EQ(footprint(Scaling::tensor) - footprint(Scaling::none), 7 * 4);
}

TEST(Compile, AFileWithoutATensorIsRefusedByTheTensorsName) {
  CompileOptions options = with_numerics("ggml");
  options.stored_as = [](std::string_view name) -> std::optional<Operand> {
    if (name == "blk.3.ffn_up.weight") return std::nullopt;
    return Operand{Format::q4_K};
  };
  try {
    compiled("h100-sxm", "llama-3.2-1b", options);
    FAIL();
  } catch (const InputError& e) {
    EXPECT_NE(std::string(e.what()).find("no tensor 'blk.3.ffn_up.weight'"), std::string::npos);
  }
}

TEST(Compile, SaysByHowMuchNoTileFits) {
  ChipFiles files = chip("trainium2");
  files.chip.core.sram.size = 1_KiB;
  const auto p = compile(model("llama-3-8b"), files.chip, files.memory, {});
  ASSERT_FALSE(p.has_value());
  EXPECT_NE(p.error().reason.find("more than a core has"), std::string::npos) << p.error().reason;
}

TEST(Compile, RefusesASplitThatDoesNotDivide) {
  const ChipFiles files = chip("h100-sxm");
  CompileOptions options;
  options.tensor_parallel = 3;
  EXPECT_THROW(compile(model("llama-3-8b"), files.chip, files.memory, options), InputError);
  options.tensor_parallel = 64;  // more chips than the link joins
  EXPECT_THROW(compile(model("llama-3-8b"), files.chip, files.memory, options), InputError);
}

TEST(EngineTime, OutputStationaryPadsToTheInstruction) {
  MatrixEngine e;
  e.dataflow = Dataflow::output_stationary;
  e.m = 8;
  e.n = 64;
  e.k = 16;
  e.macs_per_cycle[Format::bf16] = 2048;
  // One token pads to 8 rows: 8 x 128 x 64 / 2048 = 32 cycles, as eight tokens do.
  EXPECT_EQ(matrix_cycles(e, 1, 128, 64, Format::bf16), CoreCycles(32));
  EXPECT_EQ(matrix_cycles(e, 8, 128, 64, Format::bf16), CoreCycles(32));
}

TEST(EngineTime, WeightStationaryStreamsRowsOrWaitsForWeights) {
  MatrixEngine e;
  e.dataflow = Dataflow::weight_stationary;
  e.n = e.k = 128;
  e.macs_per_cycle[Format::bf16] = 128 * 128;
  e.preload_cycles = 128;
  // 2 x 3 blocks; one row each streams in a cycle but its weights need 128.
  EXPECT_EQ(matrix_cycles(e, 1, 256, 384, Format::bf16), CoreCycles(6 * 128));
  EXPECT_EQ(matrix_cycles(e, 512, 256, 384, Format::bf16), CoreCycles(6 * 512));
  e.preload_overlapped = false;
  EXPECT_EQ(matrix_cycles(e, 512, 256, 384, Format::bf16), CoreCycles(6 * (512 + 128)));
}

}  // namespace
}  // namespace presil

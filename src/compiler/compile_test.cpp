#include "compiler/compile.h"

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

std::int64_t weight_elements(const Program& p) {
  std::int64_t sum = 0;
  for (const Tensor& t : p.tensors) {
    const std::int64_t layers = t.layer_stride > 0 ? p.blocks[1].repeat : 1;
    if (t.role == Role::weight) sum += t.rows.scale * t.columns * layers;
  }
  return sum;
}

TEST(Compile, HoldsEveryParameterOnce) {
  for (const char* name :
       {"llama-3-8b", "smollm2-135m", "qwen3-8b", "qwen2.5-7b", "llama-3.2-1b"}) {
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

TEST(Compile, TilesFitLocalMemoryTwice) {
  for (const char* name : {"h100-sxm", "mtia-v1", "trainium2", "snapdragon-8-elite"}) {
    const ChipFiles files = chip(name);
    for (const std::int64_t m : {1, 16, 512, 8192}) {
      const GemmShape shape{m,
                            28672,
                            4096,
                            Format::bf16,
                            Format::bf16,
                            files.chip.core.matrix.macs_per_cycle.begin()->first};
      const Mapping map =
          choose_gemm_mapping(shape, files.chip, peak_bandwidth(files.memory, files.chip.dram))
              .value();
      const std::int64_t tm = map.tile(Axis::m);
      const std::int64_t tn = map.tile(Axis::n);
      const std::int64_t tk = map.tile(Axis::k);
      EXPECT_LE(2 * 2 * (tm + tn) * tk + 4 * tm * tn, files.chip.core.sram.size.count()) << name;
      EXPECT_EQ(tk % 32, 0) << name;
    }
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

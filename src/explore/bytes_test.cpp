// Values and cycles touch the same bytes: what the kernels of a session dereference is what the
// timeline sends to memory, kernel by kernel, byte by byte.
//
// Three things are compared by their length alone, because one stretch stands for scattered rows in
// the timeline (which simulates one channel for all): the rows that tokens look up in the embedding
// table, the keys and values that several sequences append, and those in their sliding windows.
#include <algorithm>
#include <functional>
#include <map>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include "base/testing/numerics.h"
#include "chip/library.h"
#include "compiler/compile.h"
#include "compiler/weight_layout.h"
#include "cycles/work.h"
#include "model/testing/tiny_llama.h"
#include "values/session.h"
#include "values/weight_view.h"

namespace presil {
namespace {

using testing::TinyLlama;

const std::filesystem::path kHome = PRESIL_SOURCE_DIR;

/// Bytes [first, second) of a chip's DRAM.
using Range = std::pair<std::int64_t, std::int64_t>;

/// In order and joined where they meet. What is touched twice shows: its repetition comes again as
/// a range of its own.
std::vector<Range> joined(std::vector<Range> ranges) {
  std::sort(ranges.begin(), ranges.end());
  std::vector<Range> result;
  std::vector<Range> again;
  for (const Range& r : ranges) {
    if (!result.empty() && r.first < result.back().second) {
      again.emplace_back(r.first, std::min(r.second, result.back().second));
    }
    if (!result.empty() && r.first <= result.back().second) {
      result.back().second = std::max(result.back().second, r.second);
    } else {
      result.push_back(r);
    }
  }
  result.insert(result.end(), again.begin(), again.end());
  return result;
}

std::int64_t length(const std::vector<Range>& ranges) {
  std::int64_t sum = 0;
  for (const Range& r : ranges) sum += r.second - r.first;
  return sum;
}

struct Touched {
  std::vector<Range> reads, writes;
};

Touched by_values(const AccessLog& log, const KernelPlace& place) {
  Touched t;
  for (const Access& a : log.accesses()) {
    if (a.place == place) (a.write ? t.writes : t.reads).emplace_back(a.begin, a.end);
  }
  return t;
}

/// Weights that a product reads in several passes count once: values keep what they converted.
Touched by_cycles(const KernelWork& work, Cargo dropped) {
  Touched t;
  for (const DramTraffic& traffic : work.traffic) {
    if (traffic.cargo == dropped) continue;
    const Range range{traffic.stream.base, traffic.stream.base + traffic.stream.length};
    auto& list = traffic.write ? t.writes : t.reads;
    if (std::find(list.begin(), list.end(), range) == list.end()) list.push_back(range);
  }
  return t;
}

/// The elements of the rows that tokens look up. Scales that rows share are left out on both sides:
/// the log counts them with their first row, which may not be among those looked up.
std::int64_t gathered(const std::vector<Range>& reads, const Tensor& table) {
  const std::int64_t row = bytes_of(table.format, table.columns).count();
  return std::count_if(
             reads.begin(), reads.end(),
             [&](const Range& r) { return r.first < table.base + table.rows.scale * row; }) *
         row;
}

/// What differs between the two readers in one kernel; "" when nothing does.
std::string difference(const AccessLog& log, const KernelPlace& place, const BoundProgram& bound,
                       const Chip& chip) {
  const BoundKernel& kernel = bound.blocks[place.block].kernels[place.kernel];
  const bool gathers = kernel.kernel->op == Op::embed;
  const Touched v = by_values(log, place);
  const Touched c = by_cycles(work_of(bound, place.block, place.kernel, place.repetition, chip),
                              gathers ? Cargo::weights : Cargo::activations);
  const bool several = bound.step.sequences.size() > 1;
  const bool scattered = several && kernel.kernel->op == Op::rope;
  const bool windows = several && kernel.kernel->window.keys > 0;
  bool same_reads = joined(v.reads) == joined(c.reads);
  if (windows && kernel.kernel->op == Op::attention) {
    same_reads = length(joined(v.reads)) == length(c.reads);
  }
  if (gathers) {
    const Tensor& table = bound.program->tensor(kernel.kernel->weights.front());
    const std::int64_t tokens = bound.step.tokens();
    const std::int64_t rows = tokens * bytes_of(table.format, table.columns).count();
    same_reads = gathered(v.reads, table) == rows && length(c.reads) == table.bytes(tokens).count();
  }
  const bool same_writes = scattered ? length(joined(v.writes)) == length(c.writes)
                                     : joined(v.writes) == joined(c.writes);
  if (same_reads && same_writes) return "";
  return fmt::format("rank {}, {} {}: values read {} and write {}, cycles {} and {}", place.rank,
                     kernel.kernel->name, place.repetition, joined(v.reads), joined(v.writes),
                     joined(c.reads), joined(c.writes));
}

/// All differences of a step; how many kernels were compared goes to `compared`.
std::vector<std::string> differences(const AccessLog& log, const BoundProgram& bound,
                                     const Chip& chip, int* compared = nullptr) {
  std::vector<std::string> result;
  const auto ranks = static_cast<int>(bound.program->tensor_parallel);
  for (std::size_t b = 0; b < bound.blocks.size(); ++b) {
    for (std::int64_t i = 0; i < bound.blocks[b].repeat; ++i) {
      for (std::size_t k = 0; k < bound.blocks[b].kernels.size(); ++k) {
        // Of several chips, one alone has the row of a token; a timeline counts it for each.
        if (ranks > 1 && bound.blocks[b].kernels[k].kernel->op == Op::embed) continue;
        for (int rank = 0; rank < ranks; ++rank) {
          std::string found = difference(log, {rank, b, k, i}, bound, chip);
          if (!found.empty()) result.push_back(std::move(found));
          if (compared != nullptr) ++*compared;
        }
      }
    }
  }
  return result;
}

struct Case {
  std::string name;
  TinyLlama model;
  Operand weights{Format::bf16};  // of matrices, in the program
  Operand kv_cache{Format::bf16};
  std::int64_t chips = 1;
};

/// One model on a chip, ready to be run step by step.
class Bench {
 public:
  explicit Bench(const Case& c)
      : weights(Weights::open_gguf(
            testing::write_file("bytes_" + c.name + ".gguf", testing::tiny_llama(c.model)))),
        files(load_chip("h100-sxm", {}, kHome)),
        program(compiled(c)),
        session(program, weights, {.log = &log}) {}

  /// Runs a step of these new tokens and leaves its accesses, alone, in the log.
  BoundProgram run(const std::vector<std::vector<int>>& new_tokens) {
    Step step;
    for (std::size_t i = 0; i < new_tokens.size(); ++i) {
      step.sequences.push_back({std::ssize(new_tokens[i]), session.context(i)});
    }
    log.clear();
    BoundProgram bound = bind(program, step).value();
    session.run(bound, new_tokens);
    return bound;
  }

  Weights weights;
  ChipFiles files;
  Program program;
  AccessLog log;
  Session session;

 private:
  Program compiled(const Case& c) const {
    CompileOptions options;
    options.numerics = testing::bf16_numerics();
    options.numerics.products.weights = c.weights;
    options.numerics.kv_cache = c.kv_cache;
    options.tensor_parallel = c.chips;
    Program p = compile(weights.architecture(), files.chip, files.memory, options).value();
    for (Tensor& t : p.tensors) {
      if (t.role == Role::cache) {
        t.format = c.kv_cache.format;
        t.scaling = c.kv_cache.scaling;
      }
      if (t.role != Role::weight || t.rows.scale == 1) continue;
      t.format = c.weights.format;
      t.scaling = c.weights.scaling;
    }
    place_weights(p);
    return p;
  }
};

std::vector<Case> cases() {
  using enum Format;
  return {{"same_format", {.matrices = bf16}},
          {"wider_in_the_file", {.matrices = fp32, .tied = false}},
          {"blocks_in_the_file", {.matrices = q4_1}},
          {"biases", {.family = "qwen2"}},
          {"head_norms", {.family = "qwen3"}},
          {"int8_channel", {}, {int8, Scaling::channel}, {int8, Scaling::token}},
          {"fp8_blocks", {.d_ff = 160}, {fp8_e4m3, Scaling::block_128}, {fp8_e4m3}},
          {"one_scale", {}, {fp8_e5m2, Scaling::tensor}, {fp16}},
          {"int4_groups", {.d_ff = 160}, {int4, Scaling::group_128}, {fp32}},
          {"mx", {.tied = false}, {fp4_e2m1, Scaling::mx_32}},
          {"nv", {.tied = false}, {fp4_e2m1, Scaling::nv_16}},
          {"window", {.sliding_window = 4}},
          {"window_of_int8_keys", {.sliding_window = 3}, {bf16}, {int8, Scaling::token}},
          {"two_chips", {.family = "qwen2", .d_ff = 128}, {bf16}, {bf16}, 2},
          {"four_chips", {.tied = false, .d_ff = 128}, {int8, Scaling::channel}, {fp8_e4m3}, 4}};
}

class EachProgram : public ::testing::TestWithParam<Case> {};

TEST_P(EachProgram, ValuesReadWhatCyclesSend) {
  Bench one(GetParam());
  Bench two(GetParam());
  int compared = 0;
  for (Bench* bench : {&one, &two}) {
    std::vector<std::vector<int>> tokens = {{104, 101, 7, 200, 33}};  // prefill, in two chunks
    if (bench == &two) tokens.push_back({31, 255, 12});
    for (int step = 0; step < 4; ++step) {
      const BoundProgram bound = bench->run(tokens);
      EXPECT_EQ(differences(bench->log, bound, bench->files.chip, &compared),
                std::vector<std::string>{});
      if (step > 0) tokens = std::vector<std::vector<int>>(tokens.size(), {64 + step});  // decode
    }
  }
  EXPECT_GT(compared, 100);
}

TEST_P(EachProgram, ADecodeStepReadsEachWeightByteOnceAndTheCacheOfAllTokens) {
  Bench bench(GetParam());
  bench.run({{104, 101, 7, 200, 33, 104, 0}});
  const std::int64_t context = 7;
  bench.run({{9}});

  std::map<int, std::vector<Range>> weights;  // by rank; without the row looked up
  std::map<int, std::int64_t> cache;
  for (const Access& a : bench.log.accesses()) {
    const Kernel& kernel = bench.program.blocks[a.place.block].kernels[a.place.kernel];
    const bool is_weight = bench.program.tensor(a.tensor).role == Role::weight;
    if (is_weight && kernel.op != Op::embed) weights[a.place.rank].emplace_back(a.begin, a.end);
    if (!is_weight && !a.write) cache[a.place.rank] += a.end - a.begin;
  }
  std::vector<Range> expected;
  for (const Block& block : bench.program.blocks) {
    for (const Kernel& kernel : block.kernels) {
      if (kernel.op == Op::embed) continue;
      for (const int w : kernel.weights) {
        const Tensor& t = bench.program.tensor(w);
        for (std::int64_t i = 0; i < block.repeat; ++i) {
          const std::int64_t base = t.base + i * t.layer_stride;
          expected.emplace_back(base, base + t.bytes(t.rows.scale).count());
        }
      }
    }
  }
  const Architecture& m = bench.weights.architecture();
  const std::int64_t chips = GetParam().chips;
  const std::int64_t kv_heads = std::max<std::int64_t>(1, m.n_kv_heads / chips);
  const Operand stored = GetParam().kv_cache;
  const std::int64_t scales = bench.program.tensor(bench.program.find("k_cache")).rows.scale;
  // The key and the value of the new token are read, too.
  const std::int64_t seen = m.sliding_window > 0 ? m.sliding_window : context + 1;
  const std::int64_t key = kv_heads * m.head_dim * bytes_of(stored.format, 1).count() +
                           (stored.scaling == Scaling::token ? scales * 4 : 0);
  for (int rank = 0; rank < chips; ++rank) {
    EXPECT_EQ(joined(weights[rank]), joined(expected));
    EXPECT_EQ(cache[rank], 2 * m.n_layers * key * seen);
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, EachProgram, ::testing::ValuesIn(cases()),
                         [](const auto& instance) { return instance.param.name; });

/// A kernel of the head that reads all rows of its weight as often as `times` says.
std::vector<std::string> found_with(const std::function<int(std::int64_t)>& times) {
  Bench bench({"head", {.tied = false}});
  const BoundProgram bound = bench.run({{1, 2, 3}});
  const KernelPlace head{0, 2, 1, 0};
  AccessLog log;
  for (const Access& a : bench.log.accesses()) {
    log.enter(a.place);
    if (a.place != head) log.record(a.tensor, a.write, a.begin, a.end);
  }
  const int index = bench.program.blocks[2].kernels[1].weights.front();
  const Tensor& tensor = bench.program.tensor(index);
  const WeightTap tap{&log, &tensor, index, tensor.base};
  WeightView view(*bench.weights.find(tensor.name));
  view.watch(&tap);
  log.enter(head);
  for (std::int64_t row = 0; row < view.rows(); ++row) {
    for (int i = 0; i < times(row); ++i) (void)view.row(row);
  }
  return differences(log, bound, bench.files.chip);
}

TEST(Bytes, AKernelThatSkipsARowOrReadsOneAgainIsFound) {
  EXPECT_EQ(found_with([](std::int64_t) { return 1; }).size(), 0U);
  EXPECT_EQ(found_with([](std::int64_t row) { return row == 77 ? 0 : 1; }).size(), 1U);
  EXPECT_EQ(found_with([](std::int64_t row) { return row == 77 ? 2 : 1; }).size(), 1U);
  EXPECT_EQ(found_with([](std::int64_t row) { return row == 287 ? 0 : 1; }).size(), 1U);
}

}  // namespace
}  // namespace presil

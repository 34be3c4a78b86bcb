#include "program/bind.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/integers.h"
#include "program/activation_lives.h"
#include "program/moe.h"

namespace presil {
namespace {

constexpr std::int64_t kLargestPage = 65536;  // tokens

// At 1,000 TFLOP/s a quarter of an hour for one step; and within 64 bits, whatever it is counted
// in.
constexpr double kMostOperations = 1e18;
constexpr std::int64_t kMostTokens = 1 << 30;

/// In GB; of a chip's SRAM the megabytes too.
std::string gigabytes(std::int64_t bytes) {
  const double gb = static_cast<double>(bytes) / 1e9;
  return fmt::format("{:.{}f} GB", gb, gb < 1 ? 3 : 1);
}

class Binder {
 public:
  Binder(const Program& program, const Step& step) : program_(program) {
    bound_.program = &program;
    bound_.step = step;
  }

  Feasible<BoundProgram> run() {
    check_sequences();
    if (is_beyond_counting()) {
      dram_end_ = program_.weight_footprint.count();
      if (program_.weight_footprint > program_.dram_capacity) return tl::unexpected(too_large());
      refuse_to_count();
    }
    bind_kernels();
    place_weights();
    place_caches();
    place_activations();  // every buffer has an address
    bound_.dram_footprint = Bytes(dram_end_);
    if (bound_.dram_footprint > program_.dram_capacity) return tl::unexpected(too_large());
    return std::move(bound_);
  }

 private:
  void check_sequences() const {
    if (bound_.step.sequences.empty()) throw InputError("a step needs at least one sequence");
    const std::int64_t page = bound_.step.page_tokens;
    if (page < 1 || page > kLargestPage) {
      throw InputError(fmt::format("a page of the KV cache: expected 1 to {} tokens, found {}",
                                   kLargestPage, page));
    }
    for (const Sequence& s : bound_.step.sequences) {
      if (s.new_tokens < 1 || s.context < 0) {
        throw InputError(fmt::format("a sequence needs at least one new token, found {} after {}",
                                     s.new_tokens, s.context));
      }
      const __int128_t length = static_cast<__int128_t>(s.new_tokens) + s.context;
      if (length > program_.max_context) {
        throw InputError(
            fmt::format("a sequence of {} tokens after {} is longer than the context of {}: {}",
                        s.new_tokens, s.context, program_.model, program_.max_context));
      }
    }
  }

  bool is_beyond_counting() const {
    return bound_.step.tokens() > kMostTokens || operations() > kMostOperations;
  }

  [[noreturn]] void refuse_to_count() const {
    throw LimitReached(fmt::format(
        "a step of {} tokens and {:.1e} operations: expected at most {} and {:.0e}; a smaller "
        "batch, prompt or context has fewer",
        bound_.step.tokens(), operations(), kMostTokens, kMostOperations));
  }

  /// Multiplies and adds of the step, in floating point: what the step asks for may be anything.
  double operations() const {
    const auto scored = [&](Subset subset) {  // (query, key) pairs
      double pairs = 0;
      for (const Sequence& s : bound_.step.sequences) {
        if (!is_in(subset, s)) continue;
        pairs += static_cast<double>(s.new_tokens) * static_cast<double>(s.context + s.new_tokens);
      }
      return pairs;
    };
    double sum = 0;
    for (const Block& block : program_.blocks) {
      for (const Kernel& kernel : block.kernels) {
        double elements = 2 * static_cast<double>(block.repeat);
        if (kernel.op == Op::attention) {
          elements *= 2 * scored(kernel.over);
          for (const Axis axis : {Axis::n, Axis::d}) elements *= size(kernel, axis);
        } else {
          for (const Axis axis : {Axis::m, Axis::n, Axis::k}) elements *= size(kernel, axis);
        }
        sum += elements;
      }
    }
    return sum;
  }

  /// In floating point: an extent may be beyond 64 bits before it has been checked.
  double size(const Kernel& kernel, Axis axis) const {
    const Extent& extent = kernel.extents[static_cast<std::size_t>(axis)];
    const Extent symbol{1, extent.symbol};
    return std::max(1.0, static_cast<double>(extent.scale) *
                             static_cast<double>(size_of(symbol, bound_.step, kernel.over)) /
                             static_cast<double>(extent.parts));
  }

  bool has_sequences(Subset subset) const {
    const std::vector<Sequence>& all = bound_.step.sequences;
    return std::any_of(all.begin(), all.end(), [&](const Sequence& s) { return is_in(subset, s); });
  }

  /// The rows that a kernel's mapping is chosen by.
  static std::int64_t rows_of(const BoundKernel& b, const Step& step) {
    if (b.kernel->op == Op::grouped_gemm) return expert_load(*b.kernel, step).rows;
    return b.extent(b.kernel->op == Op::attention ? Axis::q : Axis::m);
  }

  void bind_kernels() {
    rows_.assign(program_.tensors.size(), 0);
    for (const Block& block : program_.blocks) {
      BoundBlock bound{&block, block.repeat, {}};
      for (const Kernel& kernel : block.kernels) {
        if (!has_sequences(kernel.over)) continue;
        BoundKernel b;
        b.kernel = &kernel;
        for (std::size_t a = 0; a < kAxes; ++a) {
          b.extents[a] = size_of(kernel.extents[a], bound_.step, kernel.over);
        }
        const std::int64_t rows = rows_of(b, bound_.step);
        const auto fits = [&](const Mapping& m) { return rows <= m.max_m; };
        const auto mapping = std::find_if(kernel.mappings.begin(), kernel.mappings.end(), fits);
        CHECK(mapping != kernel.mappings.end(), "the last mapping of a kernel takes any rows");
        b.mapping = &*mapping;
        count_rows(kernel);
        bound.kernels.push_back(b);
      }
      bound_.blocks.push_back(std::move(bound));
    }
  }

  /// How many rows its operands have: of several kernels those of the largest.
  void count_rows(const Kernel& kernel) {
    for (const std::vector<int>* operands : {&kernel.inputs, &kernel.weights, &kernel.outputs}) {
      for (const int t : *operands) {
        std::int64_t& rows = rows_[static_cast<std::size_t>(t)];
        rows = std::max(rows, size_of(program_.tensor(t).rows, bound_.step, kernel.over));
      }
    }
  }

  void place_weights() {
    bound_.placements.resize(program_.tensors.size());
    for (std::size_t i = 0; i < program_.tensors.size(); ++i) {
      const Tensor& t = program_.tensors[i];
      if (t.role != Role::weight) continue;
      bound_.placements[i] = {Level::dram, t.base, t.bytes(size_of(t.rows, bound_.step))};
    }
    dram_end_ = program_.weight_footprint.count();
  }

  /// Layer after layer; in a layer k of all sequences, then v of all sequences. A sequence has
  /// whole pages, which follow each other: pages dealt out at random are interleaved over all
  /// channels just so, and reading the caches of all sequences is one stretch.
  void place_caches() {
    const std::int64_t unit = program_.dram_unit.count();
    const std::int64_t region = dram_end_;
    std::int64_t in_layer = 0;
    std::int64_t layers = 0;
    for (const Block& block : program_.blocks) {
      layers = std::max(layers, block.first_layer + block.repeat - program_.split.first_layer);
    }
    for (std::size_t i = 0; i < program_.tensors.size(); ++i) {
      const Tensor& t = program_.tensors[i];
      if (t.role != Role::cache) continue;
      std::int64_t size = 0;
      std::vector<std::int64_t> offsets;
      for (const Sequence& s : bound_.step.sequences) {
        offsets.push_back(size);
        size += round_up(s.context + s.new_tokens, bound_.step.page_tokens) *
                t.bytes(t.rows.scale).count();
      }
      size = round_up(size, unit);
      bound_.placements[i] = {Level::dram, region + in_layer, Bytes(size)};
      bound_.cache_offsets = std::move(offsets);  // the same for k and v, which are alike
      in_layer += size;
    }
    bound_.cache_layer_stride = in_layer;
    dram_end_ = region + in_layer * layers;
  }

  /// First fit by lifetime. Without shared memory activations live spread over the cores' local
  /// memories, of which they may fill a quarter: the rest is for tiles. What does not fit goes to
  /// DRAM.
  void place_activations() {
    const Level level = program_.shared_memory.count() > 0 ? Level::shared : Level::local;
    const std::int64_t capacity = level == Level::shared
                                      ? program_.shared_memory.count()
                                      : program_.local_memory.count() * program_.cores / 4;
    std::vector<Life> placed;
    for (const Life& life : activation_lives(program_)) {
      if (rows_[life.tensor] == 0) continue;  // of kernels that are left out
      const Tensor& t = program_.tensors[life.tensor];
      const std::int64_t size = round_up(t.bytes(rows_[life.tensor]).count(), 256);
      std::int64_t at = 0;
      for (bool moved = true; moved;) {
        moved = false;
        for (const Life& other : placed) {
          const Placement& p = bound_.placements[other.tensor];
          if (life.overlaps(other) && at < p.address + p.size.count() && p.address < at + size) {
            at = p.address + p.size.count();
            moved = true;
          }
        }
      }
      if (at + size <= capacity) {
        bound_.placements[life.tensor] = {level, at, Bytes(size)};
        placed.push_back(life);
      } else {
        const std::int64_t unit = program_.dram_unit.count();
        bound_.placements[life.tensor] = {Level::dram, dram_end_, Bytes(size)};
        dram_end_ += round_up(size, unit);
      }
    }
  }

  Infeasible too_large() const {
    const std::int64_t capacity = program_.dram_capacity.count();
    const std::int64_t weights = program_.weight_footprint.count();
    const std::int64_t excess = dram_end_ - capacity;
    Infeasible answer;
    answer.reason = fmt::format(
        "{} needs {} a chip ({} of weights, {} of KV cache and "
        "activations) and {} has {}: {} too much",
        program_.model, gigabytes(dram_end_), gigabytes(weights), gigabytes(dram_end_ - weights),
        program_.chip, gigabytes(capacity), gigabytes(excess));
    const std::int64_t whole = dram_end_ * program_.tensor_parallel;
    std::int64_t chips = program_.tensor_parallel;
    while (chips < 1024 && whole > capacity * chips) chips *= 2;
    answer.remedy = fmt::format("--tp {} would fit ({} a chip)", chips, gigabytes(whole / chips));
    if (weights > capacity) {
      answer.remedy += "; a narrower --dtype shrinks the weights";
    } else {
      answer.remedy += fmt::format(
          "; {} remain for the KV cache: a smaller batch or context "
          "shrinks it",
          gigabytes(capacity - weights));
    }
    return answer;
  }

  const Program& program_;
  BoundProgram bound_;
  std::vector<std::int64_t> rows_;  // by tensor
  std::int64_t dram_end_ = 0;
};

std::int64_t value_of(Symbol symbol, const Step& step, Subset subset) {
  if (symbol == Symbol::one) return 1;  // most extents
  std::int64_t tokens = 0, sequences = 0, longest_new = 0, longest_seen = 0, keys = 0;
  for (const Sequence& s : step.sequences) {
    if (!is_in(subset, s)) continue;
    ++sequences;
    tokens += s.new_tokens;
    longest_new = std::max(longest_new, s.new_tokens);
    longest_seen = std::max(longest_seen, s.new_tokens + s.context);
    keys += s.new_tokens + s.context;
  }
  switch (symbol) {
    case Symbol::one:
      break;
    case Symbol::T:
      return tokens;
    case Symbol::S:
      return sequences;
    case Symbol::Q:
      return longest_new;
    case Symbol::C:
      return longest_seen;
    case Symbol::K:
      return keys;
  }
  return 1;
}

}  // namespace

bool is_in(Subset subset, const Sequence& sequence) {
  switch (subset) {
    case Subset::all:
      return true;
    case Subset::decode:
      return sequence.new_tokens == 1;
    case Subset::prefill:
      return sequence.new_tokens > 1;
  }
  return true;
}

std::int64_t size_of(const Extent& extent, const Step& step, Subset subset) {
  return ceil_div(extent.scale * value_of(extent.symbol, step, subset), extent.parts);
}

std::int64_t Step::tokens() const {
  std::int64_t sum = 0;
  for (const Sequence& s : sequences) sum += s.new_tokens;
  return sum;
}

Feasible<BoundProgram> bind(const Program& program, const Step& step) {
  return Binder(program, step).run();
}

}  // namespace presil

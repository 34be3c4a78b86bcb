#include "explore/step_table_stage.h"

#include <algorithm>
#include <cmath>

#include "base/integers.h"
#include "explore/step_table_meter.h"

namespace presil {
namespace {

/// How long the other contexts are, by their mean, is counted in this part of the longest.
constexpr std::int64_t kAlike = 64;

/// Tiles of products end at multiples of this many rows, and times jump behind them.
constexpr std::int64_t kTileRows = 64;
/// Of fewer, every number has its own value: kernels are chosen and split by them.
constexpr std::int64_t kEachToken = 256, kEachSequence = 64;

/// 1, 2, ... and from `each` on the ends of tiles.
std::vector<std::int64_t> token_seams(std::int64_t each, std::int64_t most) {
  std::vector<std::int64_t> seams;
  for (std::int64_t rows = 1; rows < most; ++rows) {
    if (rows < each || rows % kTileRows < 2) seams.push_back(rows);
  }
  return seams;
}

/// 1, 2, ... and then fewer and fewer of them.
std::vector<std::int64_t> sequence_seams(std::int64_t most) {
  std::vector<std::int64_t> seams;
  for (std::int64_t n = 1; n < most; n += 1 + n / kEachSequence * 4) seams.push_back(n);
  return seams;
}

/// Kernels for prompts and for decoding that run one after the other take their sum, but for this
/// share of the step.
constexpr double kApart = 0.001;

/// Keys of the largest tile that attention takes at once.
constexpr std::int64_t kTileKeys = 256;

/// What steps there can be.
struct Largest {
  std::int64_t tokens, sequences;
  std::int64_t longest;  // sequence
  std::int64_t cached;   // tokens in the whole cache
};

Largest largest_of(const Deployment& d, std::int64_t decode_tokens) {
  const std::int64_t groups = d.prepared.request.data_parallel;
  const serving::EngineOptions& e = d.engine;
  Largest b{};
  b.sequences = ceil_div(e.max_num_seqs, groups);
  b.tokens = std::max(e.max_num_batched_tokens, b.sequences * decode_tokens);
  b.longest = e.max_model_len;
  b.cached =
      std::max(b.longest, std::min(e.num_blocks * e.block_size / groups, b.sequences * b.longest));
  return b;
}

/// `total` dealt out to `count` sequences as evenly as can be.
std::int64_t share(std::int64_t total, std::int64_t count, std::int64_t i) {
  return total / count + (i < total % count ? 1 : 0);
}

}  // namespace

/// The steps that stand for all others, and what they cost.
struct StageTable::Filling {
  Filling(const Deployment& deployment, std::size_t stage, std::int64_t new_tokens)
      : meter(deployment, stage),
        most(largest_of(deployment, new_tokens)),
        decode_tokens(new_tokens),
        tokens(token_table()),
        sequences(sequence_table()) {}

  const StepMeter meter;
  const Largest most;
  const std::int64_t decode_tokens;
  const CellTable tokens, sequences;

  CellTable decode() const {
    return {{{1, most.sequences, 1, sequence_seams(most.sequences)},
             {0, most.longest, 256, {}},
             {0, kAlike, kAlike / 4, {}}},
            [&](const TablePoint& low, const TablePoint&) {
              return can_decode(low[0], low[1], low[2]);
            },
            [&](const TablePoint& p) { return attended(decodes(p[0], p[1], p[2])); },
            {0.002, 30000}};
  }

  CellTable prefill() const {
    return {
        {{1, most.sequences, 1, {2, 3, 4}}, {1, most.tokens, 8, {}}, {0, most.longest, 256, {}}},
        [&](const TablePoint& low, const TablePoint& high) {
          return low[0] <= high[1] && low[0] * low[2] <= most.cached;
        },
        [&](const TablePoint& p) { return attended(prefills(p[0], p[1], p[2])); },
        {0.003, 8000}};
  }

  std::optional<CellTable> mixed() const {
    if (has_kernels_apart()) return std::nullopt;
    return CellTable(
        {{1, most.sequences, 1, {}},
         {0, most.longest, 256, {}},
         {1, most.tokens, 8, {}},
         {0, most.longest, 256, {}},
         {0, kAlike, kAlike / 4, {}}},
        [&](const TablePoint& low, const TablePoint&) {
          return low[0] * decode_tokens + low[2] <= most.tokens &&
                 can_decode(low[0], low[1], low[4]);
        },
        [&](const TablePoint& p) { return attended(both(p)); }, {0.004, 40000});
  }

 private:
  CellTable token_table() const {
    // Boxes of steps that read and decode have corners beyond what a step can have.
    const std::int64_t last = most.tokens + most.sequences * decode_tokens;
    return {{{1, last, 1, token_seams(kEachToken, last)}},
            [](const TablePoint&, const TablePoint&) { return true; },
            [&](const TablePoint& p) {
              const StepParts parts = meter.measure({{{p[0], 0}}});
              return sample(parts.whole(), parts.tokens);
            },
            {0.001, 4000}};
  }

  CellTable sequence_table() const {
    const std::int64_t last = most.sequences + 1;
    return {{{1, last, 1, token_seams(kEachSequence, last)}},
            [](const TablePoint&, const TablePoint&) { return true; },
            [&](const TablePoint& p) {
              const StepParts parts = meter.measure(decodes(p[0], 0, kAlike));
              return sample(parts.whole(), parts.sequences);
            },
            {0.001, 2000}};
  }

  /// What the step takes beside what the other two tables say. Time is not attention's own: a chip
  /// that loads the weights of the next kernel meanwhile does so for as long as attention lasts.
  TableSample attended(const Step& step) const {
    const PartCost rest = tokens.at({static_cast<double>(step.tokens())}) +
                          sequences.at({static_cast<double>(step.sequences.size())});
    if (meter.kernels_stand_alone()) {
      const PartCost cost = meter.measure_attention(step);
      return sample(cost + rest, cost);
    }
    const StepParts parts = meter.measure(step);
    const PartCost whole = parts.whole();
    PartCost cost = parts.attention;
    cost.full_s = whole.full_s - rest.full_s;
    cost.slow_s = whole.slow_s - rest.slow_s;
    return sample(whole, cost);
  }

  /// Whether sequences that read and that decode, in one step, attend for as long as the two alone.
  bool has_kernels_apart() const {
    for (const std::int64_t n : {std::int64_t{1}, ceil_div(most.sequences, 8)}) {
      for (const std::int64_t prompt : {std::int64_t{32}, ceil_div(most.tokens, 2)}) {
        for (const std::int64_t context : {std::int64_t{0}, most.longest / 4}) {
          const Step together = both({n, most.longest / 4, prompt, context, kAlike});
          const Step read = prefills(1, prompt, context);
          const Step decoded = decodes(n, most.longest / 4, kAlike);
          const auto differ = [&](auto seconds) {
            return std::abs(seconds(together) - seconds(read) - seconds(decoded)) >
                   kApart * attended(together).step_s;
          };
          if (differ([&](const Step& s) { return attended(s).cost.full_s; }) ||
              differ([&](const Step& s) { return meter.measure(s).attention.full_s; })) {
            return false;
          }
        }
      }
    }
    return true;
  }

  /// Whether the cache holds a longest context and `n` - 1 others.
  bool can_decode(std::int64_t n, std::int64_t longest, std::int64_t others) const {
    return longest * (kAlike + (n - 1) * others) <= most.cached * kAlike;
  }

  /// At a point of mixed().
  Step both(const TablePoint& p) const {
    Step step = decodes(p[0], p[1], p[4]);
    step.sequences.push_back(prefills(1, p[2], p[3]).sequences.front());
    return step;
  }

  TableSample sample(const PartCost& whole, const PartCost& part) const {
    return {part, whole.full_s, whole.event_j + meter.standing_w() * whole.full_s};
  }

  /// One context is the longest, that of `n` - 1 others has a mean of `alike` / kAlike of it.
  Step decodes(std::int64_t n, std::int64_t longest, std::int64_t alike) const {
    const std::int64_t others = n - 1, rest = others * longest * alike / kAlike;
    Step step;
    step.sequences.push_back({decode_tokens, std::max<std::int64_t>(1, longest)});
    // Not all alike: their last tiles of keys are as full as chance would have them.
    const std::int64_t others_mean = others > 0 ? rest / others : 0;
    const std::int64_t around =
        std::max<std::int64_t>(0, std::min({kTileKeys, others_mean / 2, longest - others_mean}));
    for (std::int64_t i = 0; i < others; ++i) {
      const std::int64_t off = around * (2 * i + 1 - others) / others;
      step.sequences.push_back(
          {decode_tokens, std::max<std::int64_t>(1, share(rest, others, i) + off)});
    }
    return step;
  }

  /// A sequence with a single new token would be one that decodes.
  Step prefills(std::int64_t p, std::int64_t new_tokens, std::int64_t context) const {
    Step step;
    for (std::int64_t i = 0; i < p; ++i) {
      step.sequences.push_back(
          {std::max<std::int64_t>(2, share(new_tokens, p, i)), std::min(context, most.cached / p)});
    }
    return step;
  }
};

StageTable::StageTable(const Deployment& deployment, std::size_t stage, std::int64_t decode_tokens)
    : StageTable(Filling(deployment, stage, decode_tokens)) {}

StageTable::StageTable(const Filling& f)
    : power_{f.meter.standing_w(), f.meter.active_w(), f.meter.limit_w(), f.meter.slow_clock(),
             f.meter.lowest_clock()},
      tokens_(f.tokens),
      sequences_(f.sequences),
      decode_(f.decode()),
      prefill_(f.prefill()),
      mixed_(f.mixed()) {}

std::size_t StageTable::points() const {
  return tokens_.points() + sequences_.points() + decode_.points() + prefill_.points() +
         (mixed_ ? mixed_->points() : 0);
}

PartCost StageTable::attention(const serving::StepFeatures& s) const {
  const auto n = static_cast<double>(s.decode_sequences);
  const auto longest = static_cast<double>(s.longest_context);
  const double others = static_cast<double>(s.decode_context) - longest;
  const double alike = others > 0 ? static_cast<double>(kAlike) * others / ((n - 1) * longest) : 0;
  if (s.prefill_sequences == 0) return decode_.at({n, longest, alike});

  // As many pairs of a query and a key as the step has, in sequences that are all alike.
  const auto p = static_cast<double>(s.prefill_sequences);
  const auto tokens = static_cast<double>(s.prefill_tokens);
  const double pairs_each = static_cast<double>(s.prefill_pairs) / tokens;
  const double context = std::max(0.0, pairs_each - (tokens / p + 1) / 2);
  const PartCost prefill = prefill_.at({p, tokens, context});
  if (s.decode_sequences == 0) return prefill;
  if (!mixed_) return prefill + decode_.at({n, longest, alike});
  const PartCost mixed = mixed_->at({n, longest, tokens, context, alike});
  if (s.prefill_sequences == 1) return mixed;
  return mixed + prefill + prefill_.at({1, tokens, context}) * -1;
}

StageCost StageTable::cost(const serving::StepFeatures& step) const {
  PartCost sum = attention(step);
  sum += tokens_.at({static_cast<double>(step.tokens())});
  sum += sequences_.at({static_cast<double>(step.decode_sequences + step.prefill_sequences)});
  return at_sustained_clock(sum);
}

/// The highest clock in steps of 1 % at which the mean power is within the limit, as run_phase
/// finds it. Between the two clocks that were measured, time is what the clock does not change and
/// what goes with its inverse.
StageCost StageTable::at_sustained_clock(const PartCost& c) const {
  const double stretch =
      power_.slow_clock < 1 ? (c.slow_s - c.full_s) / (1 / power_.slow_clock - 1) : 0;
  const auto at = [&](double clock) {
    const double seconds = c.full_s + stretch * (1 / clock - 1);
    return StageCost{seconds, c.event_j + (power_.standing_w + power_.active_w * clock) * seconds,
                     c.dram_bytes, c.flops};
  };
  const auto is_within = [&](const StageCost& cost) {
    return cost.joules <= power_.limit_w * cost.seconds;
  };
  const StageCost full = at(1);
  if (power_.slow_clock == 1 || is_within(full)) return full;
  int fits = static_cast<int>(std::ceil(power_.lowest_clock * 100)), exceeds = 100;
  while (exceeds - fits > 1) {
    const int percent = (fits + exceeds) / 2;
    (is_within(at(percent / 100.0)) ? fits : exceeds) = percent;
  }
  return at(fits / 100.0);
}

}  // namespace presil

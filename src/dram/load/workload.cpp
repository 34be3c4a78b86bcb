#include "dram/load/workload.h"

#include <algorithm>
#include <charconv>
#include <system_error>

#include <fmt/format.h>

#include "base/document.h"
#include "base/error.h"
#include "base/integers.h"
#include "base/quantity_text.h"
#include "chip/dram_shape.h"
#include "dram/load/trace.h"

namespace presil::dram {
namespace {

constexpr std::int64_t kBlock = 64;

/// Marsaglia's xorshift64* in the order of the golden streams; upper 44 bits.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(kStart) {
    if (seed == 0) return;
    // A step of splitmix64, so that seeds that are close start far apart; zero would stay zero.
    seed += 0x9e3779b97f4a7c15;
    seed = (seed ^ (seed >> 30)) * 0xbf58476d1ce4e5b9;
    seed = (seed ^ (seed >> 27)) * 0x94d049bb133111eb;
    seed ^= seed >> 31;
    if (seed != 0) state_ = seed;
  }

  /// Below `limit`.
  std::int64_t below(std::int64_t limit) {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    const std::uint64_t drawn = state_ * 0x2545f4914f6cdd1d;
    return static_cast<std::int64_t>((drawn >> 20) % static_cast<std::uint64_t>(limit));
  }

 private:
  static constexpr std::uint64_t kStart = 0x9e3779b97f4a7c15;
  std::uint64_t state_;
};

[[noreturn]] void refuse_share(std::string_view text) {
  throw InputError(fmt::format(
      "--writes {}: expected a share from 0 to 1 with at most nine digits, such as 0.25 or 1/3",
      text));
}

/// A whole number of at most nine digits.
std::int64_t parse_digits(std::string_view digits, std::string_view all) {
  std::int64_t value = 0;
  const char* end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, value);
  if (error != std::errc() || stop != end || digits.size() > 9 || digits.front() == '-') {
    refuse_share(all);
  }
  return value;
}

/// "4096", "4096 B" or "4KiB".
std::int64_t parse_step(std::string_view text, std::string_view all) {
  std::string quantity(text);
  if (!text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos) {
    quantity += " B";
  }
  const auto bytes = parse_quantity(quantity, Dimension::bytes);
  if (!bytes) throw InputError(fmt::format("--pattern {}: {}", all, bytes.error()));
  if (*bytes <= 0) throw InputError(fmt::format("--pattern {}: expected some bytes, found 0", all));
  return static_cast<std::int64_t>(*bytes);
}

}  // namespace

bool WriteShare::is_write(std::int64_t block) const {
  __extension__ using Wide = __int128;
  const auto writes_before = [&](std::int64_t i) {
    return static_cast<Wide>(i) * numerator / denominator;
  };
  return writes_before(block + 1) > writes_before(block);
}

WriteShare parse_write_share(std::string_view text) {
  WriteShare share;
  if (const std::size_t slash = text.find('/'); slash != std::string_view::npos) {
    share = {parse_digits(text.substr(0, slash), text), parse_digits(text.substr(slash + 1), text)};
  } else {
    const std::size_t point = std::min(text.find('.'), text.size());
    const std::string_view fraction = point < text.size() ? text.substr(point + 1) : "";
    for (std::size_t i = 0; i < fraction.size() && i < 9; ++i) share.denominator *= 10;
    const std::int64_t whole = point == 0 ? 0 : parse_digits(text.substr(0, point), text);
    const std::int64_t rest = fraction.empty() ? 0 : parse_digits(fraction, text);
    share.numerator = whole * share.denominator + rest;
  }
  const bool is_share = share.denominator > 0 && share.numerator <= share.denominator;
  if (text.empty() || text == "." || !is_share) refuse_share(text);
  return share;
}

void parse_pattern(std::string_view text, Workload& workload) {
  using enum Workload::Pattern;
  const std::size_t colon = std::min(text.find(':'), text.size());
  const std::string_view name = text.substr(0, colon);
  const bool has_value = colon < text.size();
  const std::string_view value = has_value ? text.substr(colon + 1) : "";
  const bool wants_value = name == "stride" || name == "blocks" || name == "trace";
  if (wants_value && value.empty()) {
    throw InputError(
        fmt::format("--pattern {}: expected {}:{}", text, name,
                    name == "trace" ? "FILE" : "BYTES, such as " + std::string(name) + ":4096"));
  }
  if (name == "stride" || name == "blocks") {
    workload.pattern = name == "stride" ? stride : blocks;
    workload.step = parse_step(value, text);
  } else if (name == "trace") {
    workload.pattern = trace;
    workload.trace = std::filesystem::path(value);
  } else if (!has_value && (name == "sequential" || name == "random")) {
    workload.pattern = name == "random" ? random : sequential;
  } else {
    const std::string near = nearest(name, {"sequential", "random", "stride", "blocks", "trace"});
    throw InputError(fmt::format(
        "--pattern {}: expected sequential, random, stride:BYTES, blocks:BYTES or trace:FILE{}",
        text, near.empty() || near == name ? "" : fmt::format("; did you mean '{}'?", near)));
  }
}

std::int64_t block_bytes(std::int64_t atom) {
  return kBlock % atom == 0 ? kBlock : atom;
}

struct BlockStream::State {
  State(const Workload& w, std::int64_t capacity, std::int64_t atom, double ticks_per_atom,
        std::int64_t cycle_ticks, Share mine)
      : pattern(w.pattern),
        atom_bytes(atom),
        block(block_bytes(atom)),
        span(capacity / block * block),
        step(w.step),
        atoms(w.atoms),
        writes(w.writes),
        share(mine),
        random(w.seed),
        ticks_per_cycle(cycle_ticks) {
    if (w.load) {
      CHECK(*w.load > 0, "an offered load above zero");
      interval = static_cast<double>(block / atom) * ticks_per_atom / *w.load;
    }
    if (pattern == Workload::Pattern::trace) trace = std::make_shared<TraceReader>(w.trace, span);
    const bool stepped =
        pattern == Workload::Pattern::stride || pattern == Workload::Pattern::blocks;
    if (stepped && (step <= 0 || step % block != 0 || step > span)) {
      throw InputError(fmt::format(
          "--pattern {}:{}: expected a multiple of {} bytes of at most {}, the size of the memory",
          pattern == Workload::Pattern::stride ? "stride" : "blocks", step, block, span));
    }
    const bool endless = pattern == Workload::Pattern::trace && atoms == 0;
    end = endless ? INT64_MAX : ceil_div(atoms, block / atom);
  }

  /// Of the next block.
  std::int64_t address() {
    switch (pattern) {
      case Workload::Pattern::sequential:
        return place;
      case Workload::Pattern::random:
        return place = random.below(span / block) * block;
      case Workload::Pattern::stride:
        return place + first;
      case Workload::Pattern::blocks:
        if (place == 0) first = random.below(span / step) * step;
        return first + place;
      case Workload::Pattern::trace:
        break;
    }
    CHECK(false, "a trace has its own addresses");
    return 0;
  }

  /// Leaves `blocks` blocks behind, all of them in this round.
  void pass(std::int64_t blocks) {
    index += blocks;
    written_share = written_after(blocks);
    switch (pattern) {
      case Workload::Pattern::sequential:
        place += blocks * block;
        if (place >= span) place %= span;
        return;
      case Workload::Pattern::stride:
        // Round after round over the memory, each beginning a block further into the stride.
        place += blocks * step;
        if (place == span / step * step) {
          place = 0;
          ++round;
          first = first + block == step ? 0 : first + block;
        }
        return;
      case Workload::Pattern::blocks:
        place += blocks * block;
        if (place == step) place = 0;
        return;
      case Workload::Pattern::random:
      case Workload::Pattern::trace:
        return;
    }
  }

  std::int64_t written_after(std::int64_t blocks) const {
    if (blocks == 1) {
      const std::int64_t share_after = written_share + writes.numerator;
      return share_after < writes.denominator ? share_after : share_after - writes.denominator;
    }
    __extension__ using Wide = __int128;
    const Wide share_after = written_share + static_cast<Wide>(blocks) * writes.numerator;
    return static_cast<std::int64_t>(share_after % writes.denominator);
  }

  /// Blocks from the one at `at` to the next line of the share, without leaving the contiguous
  /// stretch; 0 when it is in the share.
  std::int64_t blocks_to_share(std::int64_t at) const {
    const std::int64_t line = at / kInterleaveLine;
    const std::int64_t lines = (share.index - line % share.of + share.of) % share.of;
    if (lines == 0) return 0;
    std::int64_t blocks = ((line + lines) * kInterleaveLine - at) / block;
    if (pattern == Workload::Pattern::sequential) return blocks;
    return pattern == Workload::Pattern::blocks ? std::min(blocks, (step - place) / block) : 1;
  }

  /// Blocks from the one at `at` that follow on in its line and are all read or all written: they
  /// can be sent as one.
  std::int64_t blocks_alike(std::int64_t at) const {
    const bool follow_on =
        pattern == Workload::Pattern::sequential || pattern == Workload::Pattern::blocks;
    const bool alike = writes.numerator == 0 || writes.numerator == writes.denominator;
    if (!follow_on || !alike || interval) return 1;
    std::int64_t blocks = (kInterleaveLine - at % kInterleaveLine) / block;
    if (pattern == Workload::Pattern::blocks) blocks = std::min(blocks, (step - place) / block);
    return std::max<std::int64_t>(1, std::min({blocks, (span - at) / block, end - index}));
  }

  Workload::Pattern pattern;
  std::int64_t atom_bytes, block;
  std::int64_t span;  // whole blocks of the capacity
  std::int64_t step;
  std::int64_t atoms;
  WriteShare writes;
  Share share;
  Random random;
  std::int64_t ticks_per_cycle;
  std::optional<double> interval;  // ticks from block to block
  std::shared_ptr<TraceReader> trace;

  std::int64_t index = 0, end = 0;  // in blocks
  std::int64_t place = 0;           // sequential, blocks, stride: bytes
  std::int64_t first = 0;           // stride, blocks: where the round or the large block begins
  std::int64_t round = 0;
  std::int64_t written_share = 0;
};

BlockStream::BlockStream(const Workload& workload, std::int64_t capacity, std::int64_t atom,
                         double ticks_per_atom, std::int64_t ticks_per_cycle, Share share)
    : state_(std::make_unique<State>(workload, capacity, atom, ticks_per_atom, ticks_per_cycle,
                                     share)) {}

BlockStream::BlockStream(const BlockStream& other)
    : state_(std::make_unique<State>(*other.state_)) {}
BlockStream& BlockStream::operator=(const BlockStream& other) {
  return *this = BlockStream(other);
}
BlockStream::BlockStream(BlockStream&&) noexcept = default;
BlockStream& BlockStream::operator=(BlockStream&&) noexcept = default;
BlockStream::~BlockStream() = default;

bool BlockStream::next(Block& block) {
  State& s = *state_;
  block.ready = 0;
  while (true) {
    if (s.index >= s.end) return false;
    std::int64_t other = 0;  // blocks of other shares
    if (s.trace) {
      TraceRequest request;
      if (!s.trace->next(request)) return false;
      block.address = request.address / s.block * s.block;
      block.write = request.write;
      block.ready = request.cycle * s.ticks_per_cycle;
    } else {
      block.address = s.address();
    }
    if (s.share.of > 1) other = s.blocks_to_share(block.address);
    if (other == 0) break;
    s.pass(std::min(other, s.end - s.index));
  }
  if (!s.trace) block.write = s.written_share + s.writes.numerator >= s.writes.denominator;
  if (s.interval) block.ready = static_cast<Tick>(static_cast<double>(s.index) * *s.interval);
  const std::int64_t blocks = s.blocks_alike(block.address);
  const std::int64_t per_block = s.block / s.atom_bytes;
  block.atoms = blocks * per_block;
  if (s.index + blocks == s.end) block.atoms = s.atoms - s.index * per_block;
  s.pass(blocks);
  return true;
}

std::optional<BlockStream::Regular> BlockStream::regular() const {
  const State& s = *state_;
  const std::int64_t left = s.end - s.index;
  if (s.interval) return std::nullopt;
  switch (s.pattern) {
    case Workload::Pattern::sequential:
      return Regular{s.block, s.place, 0, left, s.written_share};
    case Workload::Pattern::stride: {
      const std::int64_t in_round = s.span / s.step - s.place / s.step;
      return Regular{s.step, s.place + s.first, s.round, std::min(left, in_round - 1),
                     s.written_share};
    }
    default:
      return std::nullopt;
  }
}

void BlockStream::skip(std::int64_t blocks) {
  state_->pass(blocks);
}

}  // namespace presil::dram

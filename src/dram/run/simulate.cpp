#include "dram/run/simulate.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <optional>
#include <type_traits>

#include <fmt/format.h>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/parallel.h"
#include "chip/dram_shape.h"
#include "dram/event/channel.h"
#include "dram/load/feed.h"
#include "dram/reference/reference.h"
#include "dram/run/period.h"

namespace presil::dram {
namespace {

/// What all channels of one simulation share.
struct Setup {
  explicit Setup(const SimulationInput& in);

  const SimulationInput& input;
  MemoryPart part;  // as configured
  BitsPerSecond rate;
  AddressMap map;
  int pseudo_channels;
  Tick burst_ticks;
  std::int64_t capacity;
  bool is_timed;  // blocks have times of their own
};

Setup::Setup(const SimulationInput& in)
    : input(in),
      part(as_configured(in.part, in.config)),
      rate(in.config.rate.count() > 0 ? in.config.rate : part.rate),
      map(part.mapping, without_codes(part, in.config.ecc)),
      pseudo_channels(static_cast<int>(part.pseudo_channels)),
      burst_ticks(part.burst_clocks() * part.ticks_per_clock),
      capacity(map.atoms() * part.atom().count() * part.pseudo_channels * in.channels),
      is_timed(in.workload.load.has_value() || in.workload.pattern == Workload::Pattern::trace) {
  CHECK(in.channels >= 1, "a channel at least");
  require_whole_lines(part, map.atoms() * part.atom().count());
  if (rate.count() > part.rate.count() * (1 + 1e-9)) {
    throw InputError(fmt::format("{} carries {} Gb/s a pin at most, found {} Gb/s", part.name,
                                 part.rate.count() / 1e9, rate.count() / 1e9));
  }
}

/// What came of one channel.
struct Outcome {
  Tick ticks = 0;
  std::int64_t atoms = 0, code_atoms = 0;
  std::vector<ChannelCounts> counts;
  std::vector<std::vector<BankCounts>> banks;
  LogHash log_hash;
  LatencyHistogram latency;
  bool jumped = false;
};

/// Reports atoms served, over all channels, and stops on Ctrl-C.
class Watch {
 public:
  explicit Watch(const SimulationInput& input) : input_(input) {}

  void served(std::int64_t atoms) {
    check_interrupt();
    if (!input_.progress) return;
    const std::lock_guard lock(mutex_);
    input_.progress(total_ += atoms);
  }

 private:
  const SimulationInput& input_;
  std::mutex mutex_;
  std::int64_t total_ = 0;
};

/// One channel from its first request to its last.
template <class Engine>
class Drive {
 public:
  Drive(const Setup& setup, std::int64_t channel, Watch& watch)
      : setup_(setup),
        channel_(channel),
        watch_(watch),
        engine_(make_engine(setup)),
        feed_(setup.map, blocks(), setup.input.channels, setup.part, setup.input.config.ecc) {
    if (setup.input.log) engine_.log_to(&log_);
    if constexpr (requires { engine_.mark(); }) {
      const bool wanted = setup.input.engine == dram::Engine::fast && setup.input.use_period;
      if (wanted && !setup.input.log) period_.emplace(setup.map.rows());
    }
  }

  Outcome run() {
    std::int64_t since_watch = 0;
    while (!feed_.is_empty() || is_busy()) {
      send();
      const Served served = engine_.step();
      if (!served.any) continue;
      note(served);
      if (++since_watch == kWatchEvery) {
        watch_.served(since_watch);
        flush_log();
        since_watch = 0;
      }
      if constexpr (requires { engine_.mark(); }) {
        if (period_) period_->look(engine_, feed_, latency_, end_);
      }
    }
    flush_log();
    watch_.served(since_watch);
    Outcome outcome;
    outcome.ticks = end_;
    outcome.atoms = feed_.atoms();
    outcome.code_atoms = feed_.code_atoms();
    for (int pc = 0; pc < setup_.pseudo_channels; ++pc) {
      outcome.counts.push_back(engine_.counts(pc));
      const auto banks = engine_.banks(pc);
      outcome.banks.emplace_back(banks.begin(), banks.end());
    }
    outcome.log_hash = engine_.log_hash();
    outcome.latency = std::move(latency_);
    outcome.jumped = period_ && period_->jumped();
    return outcome;
  }

 private:
  static constexpr std::int64_t kWatchEvery = 1 << 15;
  static constexpr std::uint32_t kCode = 1U << 31;  // a tag of inline ECC

  static Engine make_engine(const Setup& setup) {
    const Policy policy = policy_of(setup.input.config);
    if constexpr (std::is_same_v<Engine, Channel>) {
      return Channel(setup.part, setup.rate, policy, setup.input.skipped_rule);
    } else {
      return Engine(setup.part, setup.rate, policy);
    }
  }

  BlockStream blocks() const {
    const SimulationInput& in = setup_.input;
    const double ticks_per_atom = static_cast<double>(setup_.burst_ticks) /
                                  static_cast<double>(in.channels * setup_.pseudo_channels);
    return {in.workload,
            setup_.capacity,
            setup_.part.atom().count(),
            ticks_per_atom,
            setup_.part.ticks_per_clock,
            {in.channels, channel_}};
  }

  /// Sends what may be sent at this tick, then goes to the one before the next that matters.
  void send() {
    const Tick now = engine_.now();
    for (int pc = 0; pc < setup_.pseudo_channels; ++pc) {
      const Feed::Request* request = feed_.front(pc);
      if (request == nullptr || request->ready > now || !engine_.has_room(pc, request->write)) {
        continue;
      }
      engine_.accept(pc, {request->bank, request->row, 0}, request->write, tag_of(*request));
      feed_.pop(pc);
    }
    // What one pseudo-channel sent may have brought requests of the others into the window.
    Tick next = kNever;
    for (int pc = 0; pc < setup_.pseudo_channels; ++pc) {
      const Feed::Request* request = feed_.front(pc);
      if (request != nullptr && engine_.has_room(pc, request->write)) {
        next = std::min(next, std::max(now + 1, request->ready));
      }
    }
    engine_.skip_to(std::min(next, engine_.next_event()) - 1);
  }

  bool is_busy() const {
    for (int pc = 0; pc < setup_.pseudo_channels; ++pc) {
      if (engine_.waiting(pc) > 0) return true;
    }
    return false;
  }

  std::uint32_t tag_of(const Feed::Request& request) {
    const std::uint32_t code = request.is_code ? kCode : 0;
    if (!setup_.is_timed) return code;
    if (free_.empty()) {
      free_.push_back(static_cast<std::uint32_t>(ready_.size()));
      ready_.push_back(0);
    }
    const std::uint32_t slot = free_.back();
    free_.pop_back();
    ready_[slot] = request.ready;
    return slot | code;
  }

  void note(const Served& served) {
    end_ = std::max(end_, served.done);
    Tick from = served.arrived;
    if (setup_.is_timed) {
      const std::uint32_t slot = served.tag & ~kCode;
      from = ready_[slot];
      free_.push_back(slot);
    }
    if ((served.tag & kCode) == 0) latency_.add(served.done - from);
  }

  void flush_log() {
    for (const LoggedCommand& command : log_) {
      setup_.input.log(static_cast<int>(channel_), command);
    }
    log_.clear();
  }

  const Setup& setup_;
  std::int64_t channel_;
  Watch& watch_;
  Engine engine_;
  Feed feed_;
  std::optional<PeriodJump> period_;
  Tick end_ = 0;
  LatencyHistogram latency_;
  std::vector<LoggedCommand> log_;
  std::vector<Tick> ready_;  // by slot
  std::vector<std::uint32_t> free_;
};

Outcome run_channel(const Setup& setup, std::int64_t channel, Watch& watch) {
  if (setup.input.engine == Engine::reference) {
    return Drive<ReferenceChannel>(setup, channel, watch).run();
  }
  return Drive<Channel>(setup, channel, watch).run();
}

/// For each channel the first that is sent the same requests. Where every channel gets line by line
/// what the others get, those with equally many atoms do.
std::vector<std::int64_t> equal_channels(const Setup& setup) {
  const SimulationInput& in = setup.input;
  const Workload& load = in.workload;
  const std::int64_t n = in.channels;
  std::vector<std::int64_t> first_equal(static_cast<std::size_t>(n));
  for (std::int64_t c = 0; c < n; ++c) first_equal[static_cast<std::size_t>(c)] = c;
  const bool is_even =
      load.pattern == Workload::Pattern::sequential ||
      (load.pattern == Workload::Pattern::blocks && load.step % (n * kInterleaveLine) == 0);
  // Whether a block is a write is counted over all channels.
  const bool same_direction =
      load.writes.numerator == 0 || load.writes.numerator == load.writes.denominator;
  if (in.engine != Engine::fast || !in.use_equal_channels || in.log || setup.is_timed || !is_even ||
      !same_direction) {
    return first_equal;
  }
  const std::int64_t bytes = load.atoms * setup.part.atom().count();
  std::map<std::int64_t, std::int64_t> first_with;  // so many bytes
  for (std::int64_t c = 0; c < n; ++c) {
    const std::int64_t lines = bytes / kInterleaveLine;
    std::int64_t own = (lines - c + n - 1) / n * kInterleaveLine;
    if (lines % n == c) own += bytes % kInterleaveLine;
    first_equal[static_cast<std::size_t>(c)] = first_with.try_emplace(own, c).first->second;
  }
  return first_equal;
}

}  // namespace

SimulationResult simulate(const SimulationInput& input) {
  const Setup setup(input);
  Watch watch(input);
  const std::vector<std::int64_t> first_equal = equal_channels(setup);
  const auto channels = static_cast<std::size_t>(input.channels);
  std::vector<Outcome> outcomes(channels);
  const auto run = [&](std::size_t c) {
    if (first_equal[c] == static_cast<std::int64_t>(c)) {
      outcomes[c] = run_channel(setup, static_cast<std::int64_t>(c), watch);
    }
  };
  if (input.log) {
    for (std::size_t c = 0; c < channels; ++c) run(c);
  } else {
    parallel_each(channels, run);
  }

  SimulationResult result{.clock = setup.part.tick_clock(setup.rate)};
  result.peak = BytesPerSecond(
      static_cast<double>(input.channels * setup.pseudo_channels * setup.part.width) *
      setup.rate.count() / 8);
  result.capacity = Bytes(setup.capacity);
  bool jumped = false, shared = false;
  for (std::size_t c = 0; c < channels; ++c) {
    const Outcome& outcome = outcomes[static_cast<std::size_t>(first_equal[c])];
    shared |= first_equal[c] != static_cast<std::int64_t>(c);
    jumped |= outcome.jumped;
    result.ticks = std::max(result.ticks, outcome.ticks);
    result.atoms += outcome.atoms;
    result.ecc_atoms += outcome.code_atoms;
    for (const ChannelCounts& counts : outcome.counts) result.counts += counts;
    result.banks.insert(result.banks.end(), outcome.banks.begin(), outcome.banks.end());
    result.log_hash.append(outcome.log_hash);
    result.latency.add(outcome.latency);
  }
  result.bytes = result.atoms * setup.part.atom().count();
  if (jumped) result.shortcuts.emplace_back("whole periods jumped");
  if (shared) result.shortcuts.emplace_back("equal channels simulated once");
  return result;
}

}  // namespace presil::dram

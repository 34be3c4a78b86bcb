#include "dram/memory.h"

#include <algorithm>
#include <deque>
#include <utility>

#include "base/clock.h"
#include "base/error.h"
#include "chip/dram_shape.h"
#include "dram/backlog.h"
#include "dram/channel.h"
#include "dram/inline_codes.h"

namespace presil::dram {
namespace {

/// The union of stretches of time, added in the order of their ends.
class BusyTime {
 public:
  void add(Tick from, Tick until) {
    while (!stretches_.empty() && stretches_.back().second >= from) {
      from = std::min(from, stretches_.back().first);
      total_ -= stretches_.back().second - stretches_.back().first;
      stretches_.pop_back();
    }
    stretches_.emplace_back(from, until);
    total_ += until - from;
  }
  Tick total() const { return total_; }
  Tick end() const { return stretches_.empty() ? 0 : stretches_.back().second; }

 private:
  std::vector<std::pair<Tick, Tick>> stretches_;  // apart, ascending
  Tick total_ = 0;
};

MemoryPart as_configured(MemoryPart part, const Dram& config) {
  if (!config.mapping.empty()) part.mapping = config.mapping;
  if (config.capacity) {
    const std::int64_t row = part.page.count() * part.total_banks() * pseudo_channels(part, config);
    part.rows = (config.capacity->count() + row - 1) / row;
  }
  return part;
}

BitsPerSecond rate_of(const MemoryPart& part, const Dram& config) {
  if (config.rate.count() <= 0) return part.rate;
  CHECK(config.rate.count() <= part.rate.count() * (1 + 1e-9), "a rate the part can run at");
  return config.rate;
}

/// The bytes from the first to the last of a stream.
std::int64_t extent(const Stream& stream) {
  if (stream.block == 0 || stream.length <= stream.block) return stream.length;
  const std::int64_t blocks = (stream.length + stream.block - 1) / stream.block;
  return (blocks - 1) * stream.stride + stream.length - (blocks - 1) * stream.block;
}

/// A request inside the channel; its tag is its place among the slots.
class Slots {
 public:
  struct Request {
    TransferId transfer = 0;
    bool is_code = false;  // of inline ECC
  };
  std::uint32_t take(const Request& request) {
    if (free_.empty()) {
      free_.push_back(static_cast<std::uint32_t>(requests_.size()));
      requests_.emplace_back();
    }
    const std::uint32_t tag = free_.back();
    free_.pop_back();
    requests_[tag] = request;
    return tag;
  }
  Request give_back(std::uint32_t tag) {
    free_.push_back(tag);
    return requests_[tag];
  }

 private:
  std::vector<Request> requests_;
  std::vector<std::uint32_t> free_;
};

/// The accesses to codes that come before the next data of a pseudo-channel.
struct CodesFirst {
  struct Access {
    Location at;
    bool write = false;
    TransferId transfer = 0;
  };
  InlineCodes codes;
  std::deque<Access> due{};
};

}  // namespace

struct Memory::State {
  State(const MemoryPart& as_read, const Dram& config)
      : part(as_configured(as_read, config)),
        rate(rate_of(part, config)),
        clock(part.tick_clock(rate)),
        map(part.mapping, without_codes(part, config.ecc)),
        channel(part, rate, policy_of(config)),
        channels(config.stacks * part.channels),
        total_capacity(dram_capacity(part, config)),
        backlogs(static_cast<std::size_t>(part.pseudo_channels)) {
    const std::int64_t per_line = kInterleaveLine / part.atom().count();
    CHECK(per_line * part.atom().count() == kInterleaveLine && map.atoms() % per_line == 0,
          "a memory of whole lines of whole atoms");
    if (config.ecc == Ecc::none) return;
    for (int pc = 0; pc < part.pseudo_channels; ++pc) codes_first.push_back({InlineCodes(part)});
  }

  TransferId submit(const Transfer& transfer);
  std::optional<Arrival> advance(Picoseconds limit);
  MemoryStatistics statistics() const;

  bool is_next_completion_known() const;
  void step(Tick horizon);
  /// Sends one request, if there is one and room for it.
  void send(int pc);
  bool can_send(int pc, Tick now);
  Backlog::Requester* sender(int pc, Tick now);
  bool send_codes_first(int pc, const Location& at, bool write, TransferId transfer);
  void serve(const Served& served);

  /// A transfer over all pseudo-channels of the channel.
  struct Progress {
    Tick ready = 0, done = 0;
    int parts_left = 0;  // pseudo-channels that have not served all of theirs
    bool returned = false;
  };
  Progress& progress(TransferId id) { return transfers[static_cast<std::size_t>(id - first)]; }

  MemoryPart part;
  BitsPerSecond rate;
  DramClock clock;
  AddressMap map;
  Channel channel;
  std::int64_t channels;
  Bytes total_capacity;

  std::vector<Backlog> backlogs;   // one a pseudo-channel, of the same transfers
  std::deque<Progress> transfers;  // by id, from `first`
  TransferId first = 0;
  std::vector<CodesFirst> codes_first;  // with inline ECC, one a pseudo-channel
  Completions done;                     // known, not yet returned
  std::int64_t returned = 0, unserved = 0;
  Slots slots;

  BusyTime busy;
  std::int64_t rounded = 0;
};

// ---- transfers ----------------------------------------------------------------------------------

TransferId Memory::State::submit(const Transfer& transfer) {
  const Stream& stream = transfer.stream;
  CHECK(stream.base >= 0 && stream.length > 0 && stream.block >= 0 &&
            (stream.block == 0 || stream.stride >= stream.block) &&
            stream.base + extent(stream) <= total_capacity.count(),
        "a stream within the memory");
  bool is_rounded = false;
  PendingTransfer pending;
  pending.stream = local_stream(stream, channels * part.pseudo_channels, kInterleaveLine,
                                part.atom().count(), is_rounded);
  pending.write = transfer.write;
  pending.requester = transfer.requester;
  pending.ready = clock.cycle_at(transfer.ready_at).count();
  rounded += is_rounded;
  ++unserved;
  TransferId id = 0;
  for (Backlog& backlog : backlogs) id = backlog.submit(pending);
  transfers.push_back({pending.ready, 0, static_cast<int>(backlogs.size()), false});
  return id;
}

std::optional<Arrival> Memory::State::advance(Picoseconds limit) {
  const Tick horizon = clock.cycle_at(limit).count();
  while (true) {
    if (is_next_completion_known()) {
      const auto [tick, id] = done.top();
      const Picoseconds time = clock.edge(DramCycles(tick));
      if (time > limit) return std::nullopt;
      done.pop();
      ++returned;
      busy.add(progress(id).ready, tick);
      progress(id).returned = true;
      for (; !transfers.empty() && transfers.front().returned; ++first) transfers.pop_front();
      return Arrival{id, time};
    }
    if (unserved == 0 || channel.now() >= horizon) return std::nullopt;
    step(horizon);
  }
}

/// Nothing that is not served yet can complete before the earliest known completion.
bool Memory::State::is_next_completion_known() const {
  if (done.empty()) return false;
  const Tick soonest = std::min(channel.read_latency(), channel.write_latency());
  return unserved == 0 || done.top().first <= channel.now() + soonest;
}

/// Sends at this tick, then moves to the next at which something can happen.
void Memory::State::step(Tick horizon) {
  const Tick now = channel.now();
  Tick next = horizon;
  for (int pc = 0; pc < channel.pseudo_channels(); ++pc) {
    send(pc);
    if (can_send(pc, now + 1)) next = now + 1;
    next = std::min(next, backlogs[static_cast<std::size_t>(pc)].next_ready(now));
  }
  channel.skip_to(std::max(now, std::min(next, channel.next_event()) - 1));
  const Served served = channel.step();
  if (served.any) serve(served);
}

Backlog::Requester* Memory::State::sender(int pc, Tick now) {
  return backlogs[static_cast<std::size_t>(pc)].next(now, channel.has_room(pc, false),
                                                     channel.has_room(pc, true));
}

bool Memory::State::can_send(int pc, Tick now) {
  if (!codes_first.empty()) {
    const auto& due = codes_first[static_cast<std::size_t>(pc)].due;
    if (!due.empty()) return channel.has_room(pc, due.front().write);
  }
  return sender(pc, now) != nullptr;
}

void Memory::State::send(int pc) {
  if (!can_send(pc, channel.now())) return;
  if (!codes_first.empty()) {
    auto& due = codes_first[static_cast<std::size_t>(pc)].due;
    if (!due.empty()) {
      channel.accept(pc, due.front().at, due.front().write,
                     slots.take({due.front().transfer, true}));
      due.pop_front();
      return;
    }
  }
  Backlog& backlog = backlogs[static_cast<std::size_t>(pc)];
  Backlog::Requester& requester = *sender(pc, channel.now());
  const TransferId id = requester.unsent.front();
  const PendingTransfer& head = backlog.at(id);
  const bool write = head.write;
  const Location at = map.locate(head.stream.atom(head.sent) % map.atoms());
  if (!codes_first.empty() && send_codes_first(pc, at, write, id)) return;
  backlog.send(requester);
  channel.accept(pc, at, write, slots.take({id, false}));
}

/// Makes the codes of the data at `at` due, and sends the first of them; false if none are needed.
bool Memory::State::send_codes_first(int pc, const Location& at, bool write, TransferId transfer) {
  CodesFirst& codes = codes_first[static_cast<std::size_t>(pc)];
  PendingTransfer& pending = backlogs[static_cast<std::size_t>(pc)].at(transfer);
  codes.codes.before(at, write, [&](bool code_write) {
    codes.due.push_back({at, code_write, transfer});
    ++pending.codes_unserved;
  });
  if (codes.due.empty()) return false;
  if (channel.has_room(pc, codes.due.front().write)) send(pc);
  return true;
}

void Memory::State::serve(const Served& served) {
  const auto [id, is_code] = slots.give_back(served.tag);
  Backlog& backlog = backlogs[static_cast<std::size_t>(served.pseudo_channel)];
  Progress& whole = progress(id);
  whole.done = std::max(whole.done, served.done);
  PendingTransfer& transfer = backlog.at(id);
  if (is_code) {
    --transfer.codes_unserved;
  } else {
    ++transfer.served;
  }
  if (!transfer.is_served()) return;
  backlog.forget_finished();
  if (--whole.parts_left > 0) return;
  --unserved;
  done.emplace(whole.done, id);
}

// ---- results ------------------------------------------------------------------------------------

MemoryStatistics Memory::State::statistics() const {
  ChannelCounts counts;
  for (int pc = 0; pc < channel.pseudo_channels(); ++pc) counts += channel.counts(pc);
  const auto command = [&](Command c) { return counts.of(c) * channels; };
  MemoryStatistics result;
  result.commands = {command(Command::ACT),   command(Command::PREpb), command(Command::PREab),
                     command(Command::RD),    command(Command::WR),    command(Command::REFab),
                     command(Command::REFpb), command(Command::RFM)};
  result.atoms = result.commands.RD + result.commands.WR;
  result.row_hits = counts.hits * channels;
  result.row_misses = counts.misses * channels;
  result.row_conflicts = counts.conflicts * channels;
  result.rounded_transfers = rounded;
  if (channels > 1) result.shortcuts.push_back("equal channels simulated once");

  BusyTime until_now = busy;
  for (const Progress& transfer : transfers) {
    const Tick end = std::max({busy.end(), channel.now(), transfer.done});
    if (!transfer.returned && transfer.ready < end) until_now.add(transfer.ready, end);
  }
  const Tick waited = until_now.total();
  result.waiting = clock.edge(DramCycles(waited));
  if (waited == 0) return result;
  const auto share = [&](std::int64_t ticks) {
    return static_cast<double>(ticks) / static_cast<double>(waited * channel.pseudo_channels());
  };
  BusShares& shares = result.shares;
  shares.data = share(result.atoms / channels * channel.burst_ticks());
  shares.refresh = share(counts.refresh_ticks);
  shares.row = share(counts.row_ticks);
  shares.turnaround = share(counts.turnaround_ticks);
  shares.other = 1 - shares.data - shares.refresh - shares.row - shares.turnaround;
  return result;
}

// ---- the interface ------------------------------------------------------------------------------

Memory::Memory(const MemoryPart& part, const Dram& config)
    : state_(std::make_unique<State>(part, config)) {}

Memory::~Memory() = default;

BytesPerSecond Memory::peak() const {
  return BytesPerSecond(
      static_cast<double>(state_->channels * state_->part.pseudo_channels * state_->part.width) *
      state_->rate.count() / 8);
}

Bytes Memory::capacity() const {
  return state_->total_capacity;
}

TransferId Memory::submit(const Transfer& transfer) {
  return state_->submit(transfer);
}

std::optional<Arrival> Memory::advance(Picoseconds limit) {
  return state_->advance(limit);
}

std::int64_t Memory::pending() const {
  return state_->backlogs.front().submitted() - state_->returned;
}

MemoryStatistics Memory::statistics() const {
  return state_->statistics();
}

}  // namespace presil::dram

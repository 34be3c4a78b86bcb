#include "dram/memory.h"

#include <algorithm>
#include <utility>

#include "base/clock.h"
#include "base/error.h"
#include "chip/dram_shape.h"
#include "dram/backlog.h"
#include "dram/channel.h"
#include "dram/interval_memo.h"
#include "dram/replay.h"

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

Policy policy_of(const Dram& config) {
  Policy policy;
  policy.refresh = config.refresh;
  policy.page = config.page_policy;
  return policy;
}

/// The bytes from the first to the last of a stream.
std::int64_t extent(const Stream& stream) {
  if (stream.block == 0 || stream.length <= stream.block) return stream.length;
  const std::int64_t blocks = (stream.length + stream.block - 1) / stream.block;
  return (blocks - 1) * stream.stride + stream.length - (blocks - 1) * stream.block;
}

}  // namespace

struct Memory::State {
  State(const MemoryPart& as_read, const Dram& config, Shortcuts wanted)
      : part(as_configured(as_read, config)),
        rate(rate_of(part, config)),
        clock(part.tick_clock(rate)),
        map(part.mapping, part),
        channel(part, rate, policy_of(config)),
        channels(pseudo_channels(part, config)),
        total_capacity(dram_capacity(part, config)),
        memoise(wanted == Shortcuts::on && map.period() > 0 && channel.can_restart()) {
    const std::int64_t per_line = kInterleaveLine / part.atom().count();
    CHECK(per_line * part.atom().count() == kInterleaveLine && map.atoms() % per_line == 0,
          "a memory of whole lines of whole atoms");
  }

  TransferId submit(const Transfer& transfer);
  std::optional<Arrival> advance(Picoseconds limit);
  MemoryStatistics statistics();

  Tick now() const { return replay ? replay->now() : channel.now(); }
  bool is_next_completion_known() const;
  void simulate(Tick horizon);
  void step(Tick horizon);
  bool send_one();
  void serve(const Channel::Step& step);
  void at_refresh();
  void run_replay(Tick horizon);
  std::optional<IntervalKey> key(const Replay::Start& start);
  bool start_replay(const Replay::Start& start);
  void restart(const Replay::Start& start);
  void leave_replay();
  std::uint32_t take_slot(TransferId transfer, std::int64_t atom, std::int32_t on_tape);

  /// A request inside the channel; its tag is its place in `slots`.
  struct Slot {
    TransferId transfer = 0;
    std::int64_t atom = 0;
    std::int32_t on_tape = 0;
  };

  MemoryPart part;
  BitsPerSecond rate;
  DramClock clock;
  AddressMap map;
  Channel channel;
  std::int64_t channels;
  Bytes total_capacity;
  bool memoise;

  Backlog backlog;
  Completions done;  // known, not yet returned
  std::int64_t returned = 0, unserved = 0;
  std::vector<Slot> slots;
  std::vector<std::uint32_t> free_slots;

  IntervalMemo memo;
  Recorder recorder;
  std::optional<Replay> replay;

  BusyTime busy;
  std::int64_t rounded = 0, replayed = 0;
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
  pending.stream = local_stream(stream, channels, kInterleaveLine, part.atom().count(), is_rounded);
  pending.write = transfer.write;
  pending.requester = transfer.requester;
  pending.ready = clock.cycle_at(transfer.ready_at).count();
  rounded += is_rounded;
  ++unserved;
  return backlog.submit(pending);
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
      busy.add(backlog.at(id).ready, tick);
      backlog.at(id).returned = true;
      backlog.forget_finished();
      return Arrival{id, time};
    }
    if (unserved == 0 || now() >= horizon) return std::nullopt;
    if (replay) {
      run_replay(horizon);
    } else {
      simulate(horizon);
    }
  }
}

/// Nothing that is not served yet can complete before the earliest known completion.
bool Memory::State::is_next_completion_known() const {
  if (done.empty()) return false;
  const Tick soonest = std::min(channel.read_latency(), channel.write_latency());
  return unserved == 0 || done.top().first <= now() + soonest;
}

// ---- tick by tick -------------------------------------------------------------------------------

void Memory::State::simulate(Tick horizon) {
  while (!replay && unserved > 0 && channel.now() < horizon && !is_next_completion_known()) {
    step(horizon);
  }
}

void Memory::State::step(Tick horizon) {
  const Tick before = channel.now();
  const bool sent = send_one();
  const Channel::Step step = channel.step();
  if (step.served) serve(step);
  if (step.refreshed) {
    at_refresh();
  } else if (!step.acted && !sent) {
    const Tick next = std::min({channel.next_event() - 1, backlog.next_ready(before), horizon});
    channel.skip_to(std::max(channel.now(), next));
  }
}

bool Memory::State::send_one() {
  const bool read_room = channel.has_room(false);
  Backlog::Requester* requester = backlog.next(channel.now(), read_room, channel.has_room(true));
  if (requester == nullptr) {
    if (read_room) recorder.spoil();  // a tape is of a stream that never runs dry
    return false;
  }
  const PendingTransfer& head = backlog.at(requester->unsent.front());
  const bool write = head.write;
  const std::int64_t atom = head.stream.atom(head.sent) % map.atoms();
  const TransferId id = backlog.send(*requester);
  std::int32_t on_tape = 0;
  if (recorder.is_on()) {
    if (write) {
      recorder.spoil();
    } else {
      on_tape = recorder.note_sent(channel.now(), atom);
    }
  }
  channel.accept(map.locate(atom), write, take_slot(id, atom, on_tape));
  return true;
}

std::uint32_t Memory::State::take_slot(TransferId transfer, std::int64_t atom,
                                       std::int32_t on_tape) {
  if (free_slots.empty()) {
    free_slots.push_back(static_cast<std::uint32_t>(slots.size()));
    slots.emplace_back();
  }
  const std::uint32_t tag = free_slots.back();
  free_slots.pop_back();
  slots[tag] = {transfer, atom, on_tape};
  return tag;
}

void Memory::State::serve(const Channel::Step& step) {
  const Slot& slot = slots[step.tag];
  free_slots.push_back(step.tag);
  if (recorder.is_on()) recorder.note_served(channel.now(), slot.on_tape);
  PendingTransfer& transfer = backlog.at(slot.transfer);
  transfer.done = std::max(transfer.done, step.done);
  if (++transfer.served < transfer.stream.count || transfer.reported) return;
  transfer.reported = true;
  --unserved;
  done.emplace(transfer.done, slot.transfer);
}

// ---- refresh intervals from the memo
// --------------------------------------------------------------

void Memory::State::at_refresh() {
  if (!memoise) return;
  recorder.finish(channel.now(), channel.refresh_due(), channel.counts(), memo);
  if (!channel.reads_only()) return;
  Replay::Start start{channel.now(), channel.refresh_due(), channel.counts(), {}};
  const std::vector<std::uint32_t> queue = channel.queue();
  for (const std::uint32_t tag : queue) {
    start.queue.push_back({slots[tag].transfer, slots[tag].atom});
  }
  if (start_replay(start) || memo.is_full()) return;
  auto found = key(start);
  if (!found) return;
  const PendingTransfer& head = backlog.at(backlog.first_ready()->unsent.front());
  recorder.begin(std::move(*found), start.tick, queue.size(), head.stream.atom(head.sent),
                 start.counts);
  for (std::size_t i = 0; i < queue.size(); ++i) {
    slots[queue[i]].on_tape = -1 - static_cast<std::int32_t>(i);
  }
}

/// Empty when no tape can stand for what comes.
std::optional<IntervalKey> Memory::State::key(const Replay::Start& start) {
  const Backlog::Requester* next = backlog.first_ready();
  if (next == nullptr) return std::nullopt;
  const PendingTransfer& head = backlog.at(next->unsent.front());
  if (head.write || head.stream.block != 0 || head.ready > start.tick) return std::nullopt;
  const std::int64_t position = head.stream.atom(head.sent);
  IntervalKey result{start.refresh_due - start.tick, position % map.period()};
  for (const WaitingRead& read : start.queue) result.push_back(position - read.atom);
  return result;
}

bool Memory::State::start_replay(const Replay::Start& start) {
  const auto wanted = key(start);
  if (!wanted) return false;
  const Tape* tape = memo.find(*wanted);
  if (tape == nullptr) return false;
  replay.emplace(*tape, start, backlog, *backlog.first_ready(), channel.read_latency());
  return true;
}

void Memory::State::run_replay(Tick horizon) {
  const std::size_t known = done.size();
  const Replay::Result result = replay->run(horizon, done);
  unserved -= static_cast<std::int64_t>(done.size() - known);
  switch (result) {
    case Replay::Result::at_horizon:
      return;
    case Replay::Result::off_the_tape:
      return leave_replay();
    case Replay::Result::interval_over: {
      const Replay::Start next = replay->commit();
      replayed += next.counts.commands[static_cast<std::size_t>(Command::RD)] -
                  replay->start().counts.commands[static_cast<std::size_t>(Command::RD)];
      replay.reset();
      backlog.forget_finished();
      if (start_replay(next)) return;
      restart(next);
      at_refresh();
    }
  }
}

/// Back to the start of the interval, to be simulated.
void Memory::State::leave_replay() {
  const Replay::Start start = replay->start();
  replay.reset();
  restart(start);
}

void Memory::State::restart(const Replay::Start& start) {
  channel.restart(start.tick, start.refresh_due, start.counts);
  slots.clear();
  free_slots.clear();
  for (const WaitingRead& read : start.queue) {
    channel.requeue(map.locate(read.atom), take_slot(read.transfer, read.atom, 0));
  }
}

// ---- results ------------------------------------------------------------------------------------

MemoryStatistics Memory::State::statistics() {
  if (replay) {  // the counts of half an interval have to be made
    const Tick reached = replay->now();
    leave_replay();
    while (!replay && channel.now() < reached) step(reached);
  }
  const ChannelCounts& counts = channel.counts();
  const auto command = [&](Command c) {
    return counts.commands[static_cast<std::size_t>(c)] * channels;
  };
  MemoryStatistics result;
  result.commands = {command(Command::ACT),  command(Command::PREpb), command(Command::PREab),
                     command(Command::RD),   command(Command::WR),    command(Command::REFab),
                     command(Command::REFpb)};
  result.atoms = result.commands.RD + result.commands.WR;
  result.row_hits = counts.hits * channels;
  result.row_misses = counts.misses * channels;
  result.row_conflicts = counts.conflicts * channels;
  result.rounded_transfers = rounded;
  result.replayed_atoms = replayed * channels;
  if (channels > 1) result.shortcuts.push_back("equal pseudo-channels simulated once");
  if (replayed > 0) result.shortcuts.push_back("refresh intervals replayed");

  BusyTime until_now = busy;
  backlog.for_each_unreturned([&](const PendingTransfer& transfer) {
    const Tick end = std::max({busy.end(), now(), transfer.done});
    if (transfer.ready < end) until_now.add(transfer.ready, end);
  });
  const Tick waiting = until_now.total();
  result.waiting = clock.edge(DramCycles(waiting));
  if (waiting == 0) return result;
  const auto share = [&](std::int64_t ticks) {
    return static_cast<double>(ticks) / static_cast<double>(waiting);
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

Memory::Memory(const MemoryPart& part, const Dram& config, Shortcuts shortcuts)
    : state_(std::make_unique<State>(part, config, shortcuts)) {}

Memory::~Memory() = default;

BytesPerSecond Memory::peak() const {
  return BytesPerSecond(static_cast<double>(state_->channels * state_->part.width) *
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
  return state_->backlog.submitted() - state_->returned;
}

MemoryStatistics Memory::statistics() const {
  return state_->statistics();
}

}  // namespace presil::dram

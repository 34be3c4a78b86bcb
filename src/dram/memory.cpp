#include "dram/memory.h"

#include <algorithm>
#include <utility>

#include "base/clock.h"
#include "base/error.h"
#include "chip/dram_shape.h"
#include "dram/backlog.h"
#include "dram/channel.h"
#include "dram/replay.h"
#include "dram/segment_memo.h"

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
        per_line(kInterleaveLine / part.atom().count()),
        memo(map, config.page_policy, per_line),
        memoise(wanted == Shortcuts::on && memo.applies()) {
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
  bool enter_segment();
  std::optional<Replay::Start> next_segment();
  void finish_recording();
  void start_recording(const Replay::Start& start);
  void run_replay(Tick horizon);
  void commit_replay();
  std::uint32_t take_slot(TransferId transfer, std::int64_t atom, const Location& at);

  /// A request inside the channel; its tag is its place in `slots`.
  struct Slot {
    TransferId transfer = 0;
    std::int64_t atom = 0;
    Location at;
    std::int32_t on_tape = 0;
  };

  MemoryPart part;
  BitsPerSecond rate;
  DramClock clock;
  AddressMap map;
  Channel channel;
  std::int64_t channels;
  Bytes total_capacity;
  std::int64_t per_line;
  SegmentMemo memo;
  bool memoise;

  Backlog backlog;
  Completions done;  // known, not yet returned
  std::int64_t returned = 0, unserved = 0;
  std::vector<Slot> slots;
  std::vector<std::uint32_t> free_slots;

  bool at_cut = true;   // here a segment may start
  bool is_dry = false;  // nobody was ready; the next who is starts a segment
  std::optional<Replay> replay;
  std::vector<QueuedRead> waiting;  // kept for their memory, as is the next
  std::vector<Refill> refills;

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
  if (is_dry && backlog.next(before, true, true) != nullptr) at_cut = true;
  if (at_cut && enter_segment()) return;
  const bool sent = send_one();
  const Channel::Step step = channel.step();
  if (step.served) serve(step);
  if (!step.acted && !sent) {
    const Tick next = std::min({channel.next_event() - 1, backlog.next_ready(before), horizon});
    channel.skip_to(std::max(channel.now(), next));
  }
}

bool Memory::State::send_one() {
  const bool read_room = channel.has_room(false);
  Backlog::Requester* requester = backlog.next(channel.now(), read_room, channel.has_room(true));
  if (requester == nullptr) {
    is_dry = is_dry || read_room;
    return false;
  }
  const PendingTransfer& head = backlog.at(requester->unsent.front());
  const bool write = head.write;
  const std::int64_t atom = head.stream.atom(head.sent) % map.atoms();
  const TransferId id = backlog.send(*requester);
  const Location at = map.locate(atom);
  const std::uint32_t tag = take_slot(id, atom, at);
  if (write) {
    memo.spoil();
  } else if (memo.is_recording()) {
    slots[tag].on_tape = memo.note_sent(atom);
  }
  const PendingTransfer& sent = backlog.at(id);
  at_cut = sent.stream.count >= SegmentMemo::kShortest &&
           ((atom + 1) % SegmentMemo::kAtoms == 0 || sent.sent == sent.stream.count);
  channel.accept(at, write, tag);
  return true;
}

std::uint32_t Memory::State::take_slot(TransferId transfer, std::int64_t atom, const Location& at) {
  if (free_slots.empty()) {
    free_slots.push_back(static_cast<std::uint32_t>(slots.size()));
    slots.emplace_back();
  }
  const std::uint32_t tag = free_slots.back();
  free_slots.pop_back();
  slots[tag] = {transfer, atom, at, 0};
  return tag;
}

void Memory::State::serve(const Channel::Step& step) {
  const Slot& slot = slots[step.tag];
  free_slots.push_back(step.tag);
  if (memo.is_recording()) memo.note_served(channel.now(), slot.on_tape);
  if (memo.is_recording_wait() && channel.waiting() == 0) at_cut = true;
  PendingTransfer& transfer = backlog.at(slot.transfer);
  transfer.done = std::max(transfer.done, step.done);
  if (++transfer.served < transfer.stream.count || transfer.reported) return;
  transfer.reported = true;
  --unserved;
  done.emplace(transfer.done, slot.transfer);
}

// ---- segments from the memo ---------------------------------------------------------------------

/// Where a segment may start: replays it if there is a tape of it, else has one recorded.
bool Memory::State::enter_segment() {
  at_cut = is_dry = false;
  finish_recording();
  if (!memoise || !channel.reads_only()) return false;
  std::optional<Replay::Start> start = next_segment();
  if (!start) return false;
  const Tape* tape = memo.find(channel, start->reads, start->waiting);
  if (tape == nullptr) {
    start_recording(*start);
    return false;
  }
  if (!Replay::holds(*tape, *start, backlog)) return false;
  replay.emplace(*tape, std::move(*start), backlog, channel.read_latency());
  return true;
}

/// Empty when no tape can stand for what comes.
std::optional<Replay::Start> Memory::State::next_segment() {
  const Tick now = channel.now();
  Replay::Start start;
  start.tick = now;
  Backlog::Requester* first = backlog.next(now, true, true);
  if (first == nullptr) {
    is_dry = true;
    if (channel.waiting() == 0 || channel.has_writes()) return std::nullopt;
  } else {
    if (backlog.others_ready(first) <= now) return std::nullopt;
    const PendingTransfer& head = backlog.at(first->unsent.front());
    if (head.write || head.stream.block != 0 || head.stream.count < SegmentMemo::kShortest) {
      return std::nullopt;
    }
    const std::int64_t atom = head.stream.atom(head.sent) % map.atoms();
    start.sender = first;
    start.reads = {atom, std::min({SegmentMemo::kAtoms - atom % SegmentMemo::kAtoms,
                                   head.stream.count - head.sent, map.atoms() - atom})};
    if (atom % per_line != 0 || start.reads.count % per_line != 0) return std::nullopt;
  }
  channel.list_waiting(waiting);
  if (first == nullptr) start.reads.atom = slots[waiting.back().tag].atom;
  // The rows of its reads.
  auto least = static_cast<std::int32_t>(start.reads.atom / map.row_sweep());
  auto most = static_cast<std::int32_t>((start.reads.atom + start.reads.count) / map.row_sweep());
  for (const QueuedRead& read : waiting) {
    const Slot& slot = slots[read.tag];
    least = std::min(least, slot.at.row);
    most = std::max(most, slot.at.row);
    start.waiting.push_back({slot.transfer, slot.atom, slot.at, read.tag, read.active});
  }
  if (channel.wants_write_in(least, most)) return std::nullopt;
  return start;
}

void Memory::State::start_recording(const Replay::Start& start) {
  memo.record(channel);
  for (std::size_t i = 0; i < start.waiting.size(); ++i) {
    slots[start.waiting[i].tag].on_tape = static_cast<std::int32_t>(i);
  }
}

void Memory::State::finish_recording() {
  if (!memo.is_recording()) return;
  channel.list_waiting(waiting);
  std::vector<Tape::Left> left;
  for (const QueuedRead& read : waiting) {
    left.push_back({slots[read.tag].on_tape, read.active});
  }
  memo.finish(channel, std::move(left));
}

void Memory::State::run_replay(Tick horizon) {
  const std::size_t known = done.size();
  const Replay::Result result = replay->run(horizon, done);
  unserved -= static_cast<std::int64_t>(done.size() - known);
  switch (result) {
    case Replay::Result::at_horizon:
      return;
    case Replay::Result::off_the_tape:
      return replay.reset();  // the channel is at the segment's start
    case Replay::Result::segment_over:
      return commit_replay();
  }
}

/// Brings the channel and the backlog to the end of the segment.
void Memory::State::commit_replay() {
  const Tape& tape = replay->tape();
  const Replay::Start& start = replay->start();
  channel.apply(tape.change, memo.cast());
  const TransferId sending = start.sender != nullptr ? start.sender->unsent.front() : -1;
  for (std::size_t i = 0; i < start.waiting.size(); ++i) {
    if (tape.waiting_served[i] != Tape::kNotServed) free_slots.push_back(start.waiting[i].tag);
  }
  refills.clear();
  for (const Tape::Left& left : tape.left) {
    const auto i = static_cast<std::size_t>(left.read);
    if (i < start.waiting.size()) {
      refills.push_back({start.waiting[i].at, start.waiting[i].tag, left.active});
    } else {
      const std::int64_t atom =
          start.reads.atom + left.read - static_cast<std::int64_t>(start.waiting.size());
      const Location at = map.locate(atom);
      refills.push_back({at, take_slot(sending, atom, at), left.active});
    }
  }
  channel.refill(refills);
  replay->commit();
  replayed += tape.change.counts.commands[static_cast<std::size_t>(Command::RD)];
  replay.reset();
  backlog.forget_finished();
  at_cut = true;
}

// ---- results ------------------------------------------------------------------------------------

MemoryStatistics Memory::State::statistics() {
  if (replay) {  // the counts of half a segment have to be made
    const Tick reached = replay->now();
    replay.reset();
    const bool memoised = std::exchange(memoise, false);
    while (channel.now() < reached) step(reached);
    memoise = memoised;
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
  if (replayed > 0) result.shortcuts.push_back("segments replayed");

  BusyTime until_now = busy;
  backlog.for_each_unreturned([&](const PendingTransfer& transfer) {
    const Tick end = std::max({busy.end(), now(), transfer.done});
    if (transfer.ready < end) until_now.add(transfer.ready, end);
  });
  const Tick waited = until_now.total();
  result.waiting = clock.edge(DramCycles(waited));
  if (waited == 0) return result;
  const auto share = [&](std::int64_t ticks) {
    return static_cast<double>(ticks) / static_cast<double>(waited);
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

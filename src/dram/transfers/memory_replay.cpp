// Segments from the memo: where one may start, the writing of its tape, and the replay of one.

#include <optional>

#include "base/error.h"
#include "dram/transfers/memory_state.h"

namespace presil::dram {

/// Whether a segment may end with the read just sent: at aligned places, and where a run ends.
bool Memory::State::is_at_cut(std::size_t pc, const Backlog::Requester& requester,
                              std::int64_t atom) const {
  if ((atom + 1) % SegmentMemo::kAtoms == 0) return true;
  if (memo->is_recording() && memo->is_sent(pc)) return true;
  const std::int64_t next = atom + 1;
  if (requester.unsent.empty()) return true;
  const PendingTransfer& head = backlogs[pc].at(requester.unsent.front());
  return head.stream.atom(head.sent) % map.atoms() != next % map.atoms();
}

/// Where a segment may start: replays it if there is a tape of it, else has one recorded.
bool Memory::State::enter_segment() {
  for (std::size_t pc = 0; dry != 0 && pc < backlogs.size(); ++pc) {
    if ((dry >> pc & 1U) != 0 && backlogs[pc].next(channel.now(), true, true) != nullptr) {
      at_cut = true;
    }
  }
  if (memo->is_recording()) {
    bool is_empty = true;
    for (std::size_t pc = 0; pc < backlogs.size(); ++pc) {
      is_empty = is_empty && channel.waiting(static_cast<int>(pc)) == 0;
      if (!channel.pseudo_channel(pc).has_queued_reads()) memo->note_out_of_reads();
    }
    if (memo->is_recording_wait() && is_empty) at_cut = true;
  }
  if (!at_cut) return false;
  at_cut = false;
  dry = 0;
  finish_recording();
  if (!next_segment()) return false;
  const Tape* tape = memo->find(channel, lanes);
  if (tape == nullptr) {
    start_recording();
    return false;
  }
  if (!Replay::holds(*tape, channel.now(), lanes, backlogs)) return false;
  start_replay(*tape);
  return true;
}

/// Fills the lanes; false when no tape can stand for what comes.
bool Memory::State::next_segment() {
  bool is_known = true, is_idle = true;
  for (std::size_t pc = 0; pc < lanes.size(); ++pc) {
    is_known = next_lane(pc) && is_known;
    is_idle = is_idle && lanes[pc].count == 0 && lanes[pc].waiting.empty();
  }
  return is_known && !is_idle;
}

bool Memory::State::next_lane(std::size_t i) {
  const Tick now = channel.now();
  const PseudoChannel& pc = channel.pseudo_channel(i);
  Backlog& backlog = backlogs[i];
  Lane& lane = lanes[i];
  lane.sender = backlog.next(now, true, true);
  lane.atom = lane.count = 0;
  lane.waiting.clear();
  if (lane.sender == nullptr) dry |= 1U << i;
  if (!pc.reads_only()) return false;
  if (lane.sender == nullptr) {
    if (pc.has_writes()) return false;
  } else {
    if (backlog.others_ready(lane.sender) <= now) return false;
    const PendingTransfer& head = backlog.at(lane.sender->unsent.front());
    lane.atom = head.stream.atom(head.sent) % map.atoms();
    const std::int64_t most =
        std::min(SegmentMemo::kAtoms - lane.atom % SegmentMemo::kAtoms, map.atoms() - lane.atom);
    lane.count = backlog.ready_run(*lane.sender, now, most);
    if (lane.count < SegmentMemo::kShortest) return false;
  }
  pc.list_waiting(waiting);
  for (const QueuedRead& read : waiting) {
    const Slots::Request& request = slots[read.tag];
    lane.waiting.push_back({request.transfer, request.atom, request.at, read});
  }
  if (lane.sender == nullptr && !waiting.empty()) lane.atom = lane.waiting.back().atom;
  if (!pc.has_writes()) return true;
  // The rows of its reads.
  auto least = static_cast<std::int32_t>(lane.atom / map.row_sweep());
  auto most = static_cast<std::int32_t>((lane.atom + lane.count) / map.row_sweep());
  for (const WaitingRead& read : lane.waiting) {
    least = std::min(least, read.at.row);
    most = std::max(most, read.at.row);
  }
  return !pc.wants_write_in(least, most);
}

// ---- writing a tape -----------------------------------------------------------------------------

void Memory::State::start_recording() {
  memo->record(channel);
  for (const Lane& lane : lanes) {
    std::int32_t read = 0;
    for (const WaitingRead& waiting_read : lane.waiting) {
      slots[waiting_read.queued.tag].on_tape = read++;
    }
  }
}

void Memory::State::finish_recording() {
  if (!memo->is_recording()) return;
  for (std::size_t pc = 0; pc < left.size(); ++pc) {
    channel.pseudo_channel(pc).list_waiting(waiting);
    left[pc].clear();
    for (const QueuedRead& read : waiting) {
      const auto arrived = static_cast<std::int32_t>(read.arrived - memo->start());
      left[pc].push_back({slots[read.tag].on_tape, arrived, read.active});
    }
  }
  memo->finish(channel, left);
}

// ---- replay -------------------------------------------------------------------------------------

void Memory::State::start_replay(const Tape& tape) {
  replay.start(tape, channel.now(), lanes, backlogs);
  const std::span<const Replay::Part> parts = replay.parts();
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const TransferId id = parts[i].transfer;
    int whole = 0;
    Tick last = 0;
    bool is_first = true;
    for (std::size_t k = 0; k < parts.size(); ++k) {
      if (parts[k].transfer != id) continue;
      is_first = is_first && k >= i;
      whole += parts[k].is_all;
      last = std::max(last, parts[k].last);
    }
    if (is_first && whole == progress(id).parts_left) replay.completes(id, last);
  }
}

void Memory::State::run_replay(Tick horizon) {
  const Tick completion = done.empty() ? kNever : done.top().first;
  const Tick latency = channel.read_latency();
  const auto report = [&](TransferId id, Tick served) { complete(id, served + latency); };
  switch (replay.run(horizon, completion, latency, report)) {
    case Replay::Result::at_horizon:
      return;
    case Replay::Result::off_the_tape:
      return replay.stop();  // the channel is at the segment's start
    case Replay::Result::segment_over:
      return commit_replay();
  }
}

/// Brings the channel and the backlogs to the end of the segment.
void Memory::State::commit_replay() {
  const Tape& tape = replay.tape();
  const Tick start = channel.now(), end = start + tape.length;
  std::optional<State> simulated;
  if (checks) simulated = simulated_until(end);
  for (std::size_t pc = 0; pc < lanes.size(); ++pc) {
    channel.pseudo_channel(pc).apply(start, end, tape.tracks[pc].change, memo->cast(pc));
    refill(pc, start);
    const std::size_t sent = tape.tracks[pc].served.size() - lanes[pc].waiting.size();
    if (sent > 0) {
      backlogs[pc].send_many(*lanes[pc].sender, static_cast<std::int64_t>(sent));
    }
    replayed += tape.tracks[pc].change.counts.of(Command::RD);
  }
  BusState bus = tape.bus;
  for (Tick& free : bus.free) free += start;
  channel.set_forward(end, bus);
  for (const Replay::Part& served : replay.parts()) {
    Progress& whole = progress(served.transfer);
    whole.done = std::max(whole.done, served.last + channel.read_latency());
    whole.parts_left -= served.is_all;
    backlogs[served.pc].at(served.transfer).served += served.served;
  }
  replay.stop();
  forget_finished();
  at_cut = true;
  CHECK(!simulated || agrees_with(*simulated), "a segment goes as it is on the tape");
}

/// This state when the segment is simulated instead.
Memory::State Memory::State::simulated_until(Tick end) const {
  State state(*this);
  state.replay.stop();
  state.memoise = false;
  while (state.channel.now() < end) state.step(end);
  return state;
}

/// Whether time, buses and pseudo-channels are the same.
bool Memory::State::agrees_with(const State& other) const {
  CastKey bus, other_bus;
  channel.describe_bus(bus);
  other.channel.describe_bus(other_bus);
  bool agree = channel.now() == other.channel.now() && bus == other_bus;
  for (std::size_t pc = 0; pc < backlogs.size(); ++pc) {
    agree = agree &&
            channel.pseudo_channel(pc).agrees_with(other.channel.pseudo_channel(pc), channel.now());
  }
  return agree;
}

/// Puts the reads that are left at the end into the queues.
void Memory::State::refill(std::size_t pc, Tick start) {
  const Tape::Track& track = replay.tape().tracks[pc];
  const Lane& lane = lanes[pc];
  const std::size_t count = lane.waiting.size();
  for (std::size_t i = 0; i < count; ++i) {
    if (track.served[i] != Tape::kNotServed) slots.give_back(lane.waiting[i].queued.tag);
  }
  refills.clear();
  std::size_t transfer = 0;  // of the sender's, that the read is of
  std::int64_t before = 0;   // reads sent of those ahead of it
  for (const Tape::Left& left_read : track.left) {
    const auto i = static_cast<std::size_t>(left_read.read);
    if (i < count) {
      const WaitingRead& read = lane.waiting[i];
      refills.push_back({read.at, {read.queued.arrived, read.queued.tag, left_read.active}});
      continue;
    }
    const auto sent = static_cast<std::int64_t>(i - count);
    const auto unsent = [&] {
      const PendingTransfer& t = backlogs[pc].at(lane.sender->unsent[transfer]);
      return t.stream.count - t.sent;
    };
    for (; sent >= before + unsent(); ++transfer) before += unsent();
    const std::int64_t atom = lane.atom + sent;
    const Location at = map.locate(atom);
    const std::uint32_t tag =
        slots.take({.transfer = lane.sender->unsent[transfer], .atom = atom, .at = at});
    refills.push_back({at, {start + left_read.arrived, tag, left_read.active}});
  }
  channel.pseudo_channel(pc).refill(start + replay.tape().length, refills);
}

}  // namespace presil::dram

#include "dram/transfers/memory.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "dram/transfers/memory_state.h"

namespace presil::dram {
namespace {

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

Memory::State::State(const MemoryPart& as_read, const Dram& config, Shortcuts wanted)
    : part(as_configured(as_read, config)),
      rate(rate_of(part, config)),
      clock(part.tick_clock(rate)),
      map(part.mapping, without_codes(part, config.ecc)),
      channel(part, rate, policy_of(config)),
      channels(config.stacks * part.channels),
      total_capacity(dram_capacity(part, config)),
      graph(StateGraph::borrow(part, rate, policy_of(config), map, channel.timing_table(),
                               kInterleaveLine / part.atom().count())),
      memoise(wanted != Shortcuts::off && config.ecc == Ecc::none && graph->applies()),
      checks(wanted == Shortcuts::checked),
      backlogs(static_cast<std::size_t>(part.pseudo_channels)),
      lanes(backlogs.size()),
      places(backlogs.size()),
      inert(backlogs.size(), kNone),
      sent(backlogs.size()),
      waiting(backlogs.size()) {
  require_whole_lines(part, map.atoms() * part.atom().count());
  if (config.ecc != Ecc::none) {
    for (int pc = 0; pc < part.pseudo_channels; ++pc) codes_first.push_back({InlineCodes(part)});
  }
  channel.stop_hashing();
  soonest = std::min(channel.read_latency(), channel.write_latency());
}

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
  for (Backlog& backlog : backlogs) {
    if (backlog.is_dry(transfer.requester)) quiet_until = std::min(quiet_until, pending.ready);
    id = backlog.submit(pending);
  }
  transfers.push_back({pending.ready, 0, static_cast<int>(backlogs.size()), false, false});
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
      forget_finished();
      return Arrival{id, time};
    }
    if (unserved == 0 || now() >= horizon) return std::nullopt;
    if (replay.is_running()) {
      run_replay(horizon);
    } else if (ride.on) {
      continue_ride();
    } else {
      simulate(horizon);
    }
  }
}

/// Nothing that is not served yet can complete before the earliest known completion.
bool Memory::State::is_next_completion_known() const {
  if (done.empty()) return false;
  return unserved == 0 || done.top().first <= now() + soonest;
}

void Memory::State::forget_finished() {
  for (Backlog& backlog : backlogs) backlog.forget_finished();
  const auto is_over = [](const Progress& p) { return p.returned && p.parts_left == 0; };
  for (; !transfers.empty() && is_over(transfers.front()); ++first) transfers.pop_front();
}

// ---- tick by tick -------------------------------------------------------------------------------

void Memory::State::simulate(Tick horizon) {
  while (unserved > 0 && channel.now() < horizon && !is_next_completion_known()) {
    if (memoise && look_for_edge()) return;
    step(horizon);
  }
}

/// Sends at this tick, then moves to the next at which something can happen.
void Memory::State::step(Tick horizon) {
  const Tick now = channel.now();
  Tick next = horizon;
  // Once the next completion is known the client may submit more, to be sent at that tick.
  if (!done.empty()) next = std::min(next, done.top().first - soonest);
  for (int pc = 0; pc < channel.pseudo_channels(); ++pc) {
    send(pc);
    if (can_send(pc, now + 1)) next = now + 1;
    next = std::min(next, backlogs[static_cast<std::size_t>(pc)].next_ready(now));
  }
  // A stretch ends here, before its senders can send what comes after it.
  if (at_cut) next = now + 1;
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
  const auto i = static_cast<std::size_t>(pc);
  if (!codes_first.empty() && !codes_first[i].due.empty()) {
    const CodesFirst::Access code = codes_first[i].due.front();
    if (!channel.has_room(pc, code.write)) return;
    channel.accept(pc, code.at, code.write,
                   slots.take({.transfer = code.transfer, .is_code = true}));
    codes_first[i].due.pop_front();
    return;
  }
  Backlog& backlog = backlogs[i];
  Backlog::Requester* const next = sender(pc, channel.now());
  if (next == nullptr) return;
  Backlog::Requester& requester = *next;
  const TransferId id = requester.unsent.front();
  const PendingTransfer& head = backlog.at(id);
  const bool write = head.write;
  const std::int64_t atom = head.stream.atom(head.sent) % map.atoms();
  const Location at = map.locate(atom);
  if (!codes_first.empty() && send_codes_first(pc, at, write, id)) return;
  backlog.send(requester);
  const std::uint32_t tag = slots.take({.transfer = id, .atom = atom, .at = at});
  channel.accept(pc, at, write, tag);
  if (!memoise) return;
  sent[i][write] = atom + 1;
  note_sent(i, write, requester, atom, tag);
  at_cut = at_cut || is_at_cut(i, requester, atom);
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
  send(pc);
  return true;
}

void Memory::State::serve(const Served& served) {
  const auto pc = static_cast<std::size_t>(served.pseudo_channel);
  const Slots::Request request = slots.give_back(served.tag);
  const TransferId id = request.transfer;
  if (recording.is_on()) note_served(pc, served.write, request);
  Progress& whole = progress(id);
  whole.done = std::max(whole.done, served.done);
  PendingTransfer& transfer = backlogs[pc].at(id);
  if (request.is_code) {
    --transfer.codes_unserved;
  } else {
    ++transfer.served;
  }
  if (!transfer.is_served()) return;
  if (--whole.parts_left == 0) complete(id, whole.done);
  backlogs[pc].forget_finished();
}

/// A replay that went off the tape may have said so before.
void Memory::State::complete(TransferId id, Tick tick) {
  Progress& whole = progress(id);
  if (whole.completed) return;
  whole.completed = true;
  --unserved;
  done.emplace(tick, id);
}

// ---- results ------------------------------------------------------------------------------------

MemoryStatistics Memory::State::statistics() {
  if (ride.on) {  // the counts of half a stretch have to be made
    const Tick reached = now();
    replay.stop();
    leave_ride();
    while (channel.now() < reached) step(reached);
  }
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
  result.replayed_atoms = replayed * channels;
  if (channels > 1) result.shortcuts.push_back("equal channels simulated once");
  // Whether there were any depends on who came before.
  if (looked) result.shortcuts.push_back("stretches from states seen before replayed");

  BusyTime until_now = busy;
  for (const Progress& transfer : transfers) {
    const Tick end = std::max({busy.end(), channel.now(), transfer.done});
    if (!transfer.returned && transfer.ready < end) until_now.add(transfer.ready, end);
  }
  const Tick waited = until_now.total();
  result.waiting = clock.edge(DramCycles(waited));
  if (waited == 0) return result;
  const auto buses = static_cast<double>(channel.pseudo_channels());
  result.shares = bus_shares(counts, channel.burst_ticks(), static_cast<double>(waited) * buses);
  return result;
}

// ---- the interface ------------------------------------------------------------------------------

Memory::Memory(const MemoryPart& part, const Dram& config, Shortcuts shortcuts)
    : state_(std::make_unique<State>(part, config, shortcuts)) {}

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

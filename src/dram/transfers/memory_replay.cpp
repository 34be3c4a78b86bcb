// Going along the edges of the graph: where a ride may start, its legs, and the way back into the
// channel.

#include <algorithm>
#include <bit>
#include <optional>

#include "base/error.h"
#include "dram/transfers/memory_state.h"

namespace presil::dram {

// ---- a ride -------------------------------------------------------------------------------------

/// Whether one can tell from an atom which transfer asked for it: of two that overlap, no.
bool Memory::State::are_transfers_clear() const {
  for (std::size_t pc = 0; pc < lanes.size(); ++pc) {
    for (const QueuedRequest& request : waiting[pc]) {
      const Slots::Request& r = slots[request.tag];
      if (backlogs[pc].holder(r.atom, request.write) != r.transfer) return false;
    }
  }
  return true;
}

/// From the state described last, at `node`.
void Memory::State::start_ride(StateGraph::Node& node) {
  ride.on = true;
  ride.stale = false;
  ride.node = &node;
  ride.now = channel.now();
  ride.first_overdue = kNever;
  ride.places = places;
  ride.waiting = waiting;
  ride.legs.clear();
  ride.alike.clear();
  ride.inert.resize(lanes.size());
  ride.bounds.assign(lanes.size(), {kNever, kNever});
  ride.far_rows.resize(lanes.size());
  for (std::size_t i = 0; i < lanes.size(); ++i) {
    const PseudoChannel& pc = channel.pseudo_channel(i);
    // Those sent on the way are overdue later than this.
    if (pc.starvation() != kNever)
      ride.first_overdue = std::min(ride.first_overdue, ride.now + pc.starvation());
    for (const QueuedRequest& request : waiting[i]) {
      if (pc.starvation() == kNever || ride.now - request.arrived >= pc.starvation()) continue;
      ride.first_overdue = std::min(ride.first_overdue, request.arrived + pc.starvation());
    }
    pc.list_waiting(ride.inert[i]);
    std::erase_if(ride.inert[i], [&](const QueuedRequest& r) { return r.write != inert[i]; });
    if (inert[i] == 1) ride.first_overdue = std::min(ride.first_overdue, pc.first_overdue(true));
    const StreamPlaces stream = graph->places(places[i]);
    ride.far_rows[i].assign(64, 0);
    for (std::uint64_t far = pc.far_banks(stream); far != 0; far &= far - 1) {
      const int bank = std::countr_zero(far);
      ride.far_rows[i][static_cast<std::size_t>(bank)] = pc.open_row(bank);
      for (const int direction : {0, 1}) {
        if (!stream.has(direction)) continue;
        const std::int64_t rows = pc.open_row(bank) - stream.row_in(direction, bank);
        if (rows <= 0) continue;
        Tick& bound = ride.bounds[i][direction];
        bound = std::min(bound, stream.atom[direction] +
                                    (rows - PseudoChannel::kNearRows - 1) * map.row_sweep());
      }
    }
  }
}

/// Along the next edge, if there is one that holds; else back into the channel.
void Memory::State::continue_ride() {
  if (ride.now < quiet_until && follow_lanes()) {
    const StateGraph::Edge* edge = ride.node->longer;
    if (edge != nullptr && has_plenty_for_long() && edge->ahead == ahead(ride.places) &&
        ride.now + edge->length < next_refresh() && fits(*edge)) {
      return start_replay(*edge);
    }
    edge = next_edge(*ride.node, ride.now, ride.places);
    if (edge != nullptr && fits(*edge)) return start_replay(*edge);
  }
  leave_ride();
  at_cut = true;
}

/// Looks again at the lanes that end soon; false when somebody else can send now.
bool Memory::State::follow_lanes() {
  for (std::size_t pc = 0; pc < lanes.size(); ++pc) {
    for (const bool write : {false, true}) {
      Lane& lane = lanes[pc][write];
      if (lane.sender == nullptr || lane.run >= StateGraph::kPlenty) continue;
      lane.run = 0;
      if (lane.sender->unsent.empty()) {
        lane.sender = nullptr;
        continue;
      }
      const PendingTransfer& head = backlogs[pc].at(lane.sender->unsent.front());
      if (head.ready > ride.now) {
        quiet_until = std::min(quiet_until, head.ready);
        lane.sender = nullptr;
        continue;
      }
      if (head.write != write) return false;
      lane.atom = head.stream.first + head.sent;
      lane.run = backlogs[pc].ready_run(*lane.sender, ride.now, map.atoms());
      if (lane.run == 0 || lane.atom + lane.run > map.atoms()) return false;
    }
  }
  return true;
}

const StateGraph::Edge* Memory::State::next_edge(const StateGraph::Node& node, Tick now,
                                                 std::span<const Places> at) {
  const std::uint64_t all = ahead(at);
  if (const StateGraph::Edge* edge = graph->find_plain(node, all, next_refresh() - now)) {
    return edge;
  }
  if (!node.has_others) return nullptr;
  list_dues(now);
  return graph->find(node, all, dues);
}

Tick Memory::State::next_refresh() const {
  Tick next = kNever;
  for (std::size_t pc = 0; pc < lanes.size(); ++pc) {
    next = std::min(next, channel.pseudo_channel(pc).refresh_due());
  }
  return next;
}

/// Whether all lanes that send go on for long.
bool Memory::State::has_plenty_for_long() const {
  for (std::size_t pc = 0; pc < lanes.size(); ++pc) {
    for (const bool write : {false, true}) {
      const Lane& lane = lanes[pc][write];
      const bool sends = lane.run > 0 && lane.atom == ride.places[pc][write];
      if (sends && lane.run < StateGraph::kPlentyForLong) return false;
    }
  }
  return true;
}

/// Legs that follow one another without a refresh, with the same before them, become one edge when
/// they are gone along for the second time.
void Memory::State::note_leg(const StateGraph::Edge& edge) {
  bool is_plain = &edge != ride.node->longer && has_plenty_for_long();
  for (const StateGraph::Track& track : edge.tracks) is_plain = is_plain && track.refreshes == 0;
  if (!is_plain || (!ride.alike.empty() && ride.alike.front()->ahead != edge.ahead)) {
    return ride.alike.clear();
  }
  if (ride.alike.empty()) ride.long_from = ride.node;
  ride.alike.push_back(&edge);
  if (ride.alike.size() < StateGraph::kLegs) return;
  StateGraph::Node& from = *ride.long_from;
  if (from.was_left && from.longer == nullptr) graph->join(from, ride.alike);
  from.was_left = true;
  ride.alike.clear();
}

/// Whether, as far as is known now, the edge is what happens.
bool Memory::State::fits(const StateGraph::Edge& edge) const {
  const Tick end = ride.now + edge.length;
  if (end > quiet_until || end >= ride.first_overdue) return false;
  for (std::size_t pc = 0; pc < lanes.size(); ++pc) {
    const Places& place = ride.places[pc];
    for (const bool write : {false, true}) {
      if (place[write] + edge.tracks[pc].sent[write] > ride.bounds[pc][write]) return false;
    }
    const bool has_both = (ride.node->streams >> (2 * pc) & 3U) == 3U;
    const bool are_close = (ride.node->close >> pc & 1U) != 0;
    if (has_both && graph->are_close(place) != are_close) return false;
  }
  return true;
}

/// Brings the channel to where the ride is.
void Memory::State::leave_ride() {
  ride.on = false;
  if (ride.stale) restore();
  ride.stale = false;
}

void Memory::State::restore() {
  StateReader reader(ride.node->code);
  channel.set_forward(ride.now, reader);
  for (std::size_t i = 0; i < lanes.size(); ++i) {
    PseudoChannel& pc = channel.pseudo_channel(i);
    const StreamPlaces stream = graph->places(ride.places[i]);
    StateGraph::skip_places(reader);
    reader.next();  // whose turn it is: the backlog knows
    reader.next();  // which direction is inert
    refills.clear();
    for (const QueuedRequest& request : ride.inert[i]) {
      refills.push_back({slots[request.tag].at, request});
    }
    const auto count = static_cast<std::size_t>(reader.next());
    for (std::size_t k = 0; k < count; ++k) {
      const std::int64_t code = reader.next();
      const bool write = (code & 1) != 0;
      const std::int64_t atom = stream.atom[write] - code / 8;
      const Location at = map.locate(atom);
      const TransferId transfer = backlogs[i].holder(atom, write);
      CHECK(transfer != Backlog::kNobody, "a request is of some transfer");
      const std::uint32_t tag = slots.take({.transfer = transfer, .atom = atom, .at = at});
      refills.push_back({at, {arrival(i, k), tag, write, (code & 2) != 0}});
    }
    pc.decode(ride.now, stream, ride.far_rows[i], reader);
    pc.refill(refills);
    for (const bool write : {false, true}) {
      if (stream.has(write)) sent[i][write] = stream.atom[write];
    }
  }
}

/// When a request was sent that waits where the ride is.
Tick Memory::State::arrival(std::size_t pc, std::size_t number) const {
  for (auto leg = ride.legs.rbegin(); leg != ride.legs.rend(); ++leg) {
    const std::int32_t before = leg->edge->tracks[pc].waiting[number];
    if (before < 0) return leg->start - 1 - before;
    number = static_cast<std::size_t>(before);
  }
  return ride.waiting[pc][number].arrived;
}

// ---- one edge -----------------------------------------------------------------------------------

void Memory::State::start_replay(const StateGraph::Edge& edge) {
  replay.start(edge, ride.now, lanes, ride.places, backlogs);
  const std::span<const Replay::Part> parts = replay.parts();
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (!parts[i].is_all) continue;
    const TransferId id = parts[i].transfer;
    int whole = 0;
    Tick last = 0;
    bool is_first = true;
    for (std::size_t k = 0; k < parts.size(); ++k) {
      if (parts[k].transfer != id || !parts[k].is_all) continue;
      is_first = is_first && k >= i;
      ++whole;
      last = std::max(last, parts[k].last);
    }
    if (!is_first || whole != progress(id).parts_left) continue;
    const bool write = backlogs[parts[i].pc].at(id).write;
    replay.completes(id, last, last + (write ? channel.write_latency() : channel.read_latency()));
  }
}

void Memory::State::run_replay(Tick horizon) {
  const Tick completion = done.empty() ? kNever : done.top().first;
  const auto report = [&](TransferId id, Tick tick) { complete(id, tick); };
  switch (replay.run(horizon, completion, quiet_until, report)) {
    case Replay::Result::at_horizon:
      return;
    case Replay::Result::off_the_edge:
      replay.stop();
      return leave_ride();  // to the edge's start
    case Replay::Result::edge_over:
      return commit_replay();
  }
}

/// Brings ride and backlogs to the end of the edge, and the counts.
void Memory::State::commit_replay() {
  const StateGraph::Edge& edge = replay.edge();
  std::optional<State> simulated;
  if (checks) simulated = simulated_until(replay.end());
  if (!ride.stale) {
    for (const std::vector<QueuedRequest>& requests : ride.waiting) {
      for (const QueuedRequest& request : requests) slots.give_back(request.tag);
    }
    ride.stale = true;
  }
  for (const Replay::Part& served : replay.parts()) {
    Progress& whole = progress(served.transfer);
    PendingTransfer& transfer = backlogs[served.pc].at(served.transfer);
    whole.done = std::max(whole.done, served.last + (transfer.write ? channel.write_latency()
                                                                    : channel.read_latency()));
    whole.parts_left -= served.is_all;
    transfer.served += served.served;
  }
  for (std::size_t pc = 0; pc < lanes.size(); ++pc) {
    const StateGraph::Track& track = edge.tracks[pc];
    channel.pseudo_channel(pc).pass(track.counts, track.refreshes);
    replayed += track.counts.of(Command::RD) + track.counts.of(Command::WR);
    for (const bool write : {!track.writes_last, track.writes_last}) {
      const std::int32_t count = track.sent[write];
      std::int64_t& place = ride.places[pc][write];
      if ((edge.to->streams >> (2 * pc + write) & 1U) == 0) {
        place = StreamPlaces::kNowhere;
      } else {
        place += count;
      }
      if (count == 0) continue;
      Lane& lane = lanes[pc][write];
      backlogs[pc].send_many(*lane.sender, count);
      lane.atom += count;
      lane.run -= count;
    }
  }
  note_leg(edge);
  ride.legs.push_back({&edge, ride.now});
  ride.now += edge.length;
  ride.node = edge.to;
  replay.stop();
  forget_finished();
  if (!checks) return;
  leave_ride();
  at_cut = true;
  CHECK(agrees_with(*simulated), "what follows a state is what followed it before");
}

/// This state when the edge is simulated instead. Requires that the channel is at its start.
Memory::State Memory::State::simulated_until(Tick end) const {
  State state(*this);
  state.replay.stop();
  state.ride.on = false;
  state.recording.spoil();
  state.memoise = false;
  while (state.channel.now() < end) state.step(end);
  return state;
}

/// Whether time, buses and pseudo-channels are the same.
bool Memory::State::agrees_with(const State& other) const {
  StateKey bus(channel.now(), 0, 1), other_bus(channel.now(), 0, 1);
  channel.describe_bus(bus);
  other.channel.describe_bus(other_bus);
  bool agree = channel.now() == other.channel.now() && bus.bytes() == other_bus.bytes();
  for (std::size_t pc = 0; pc < backlogs.size(); ++pc) {
    agree = agree &&
            channel.pseudo_channel(pc).agrees_with(other.channel.pseudo_channel(pc), channel.now());
  }
  return agree;
}

}  // namespace presil::dram

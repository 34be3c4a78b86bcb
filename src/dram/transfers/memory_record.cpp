// States of the channel, described, and what comes after them, recorded as edges of the graph.

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "dram/transfers/memory_state.h"

namespace presil::dram {
namespace {

/// By requests that wait: what they are but for the time at which they were sent.
std::int64_t code_of(const QueuedRequest& request, std::int64_t behind, bool overdue) {
  return behind * 8 + overdue * 4 + request.active * 2 + request.write;
}

}  // namespace

/// Whether a stretch may end with the atom just sent: at aligned places of the first
/// pseudo-channel, and where a run ends.
bool Memory::State::is_at_cut(std::size_t pc, const Backlog::Requester& requester,
                              std::int64_t atom) const {
  if (pc == 0 && (atom + 1) % StateGraph::kAtoms == 0) return true;
  if (requester.unsent.empty()) return true;
  const PendingTransfer& head = backlogs[pc].at(requester.unsent.front());
  return head.ready > channel.now() || head.stream.atom(head.sent) % map.atoms() != atom + 1;
}

/// Where a stretch may start: replays it if there is an edge, else has one recorded.
bool Memory::State::look_for_edge() {
  const Tick now = channel.now();
  if (now >= quiet_until) {
    at_cut = true;
    quiet_until = kNever;
  }
  if (recording.is_on() && now > recording.start) {
    bool is_empty = true;
    for (int pc = 0; pc < channel.pseudo_channels(); ++pc) {
      is_empty = is_empty && channel.waiting(pc) == 0;
    }
    at_cut = at_cut || is_empty;
  }
  if (!at_cut) return false;
  at_cut = false;
  const bool is_known = find_lanes();
  StateGraph::Node* node = finish_recording();
  if (!is_known) return false;
  bool is_idle = true;
  for (std::size_t pc = 0; pc < lanes.size(); ++pc) {
    for (const Lane& lane : lanes[pc]) is_idle = is_idle && lane.run == 0;
    is_idle = is_idle && channel.waiting(static_cast<int>(pc)) == 0;
  }
  if (is_idle) return false;
  if (graph->forget_if_full() || node == nullptr) {
    find_places();
    node = describe(places);
    if (node == nullptr) return false;
  }
  looked = true;
  const StateGraph::Edge* edge = next_edge(*node, now, places);
  if (edge == nullptr) {
    start_recording(node);
    return false;
  }
  if (!are_transfers_clear()) return false;
  start_ride(*node);
  if (fits(*edge)) {
    start_replay(*edge);
    return true;
  }
  ride.on = false;
  return false;
}

/// Fills the lanes; false when more wait for their turn than one reader and one writer of each
/// pseudo-channel.
bool Memory::State::find_lanes() {
  const Tick now = channel.now();
  bool is_known = true;
  quiet_until = kNever;
  for (std::size_t pc = 0; pc < lanes.size(); ++pc) {
    lanes[pc] = {};
    Backlog& backlog = backlogs[pc];
    backlog.for_each_waiting([&](Backlog::Requester& requester) {
      const PendingTransfer& head = backlog.at(requester.unsent.front());
      if (head.ready > now) {
        quiet_until = std::min(quiet_until, head.ready);
        return;
      }
      Lane& lane = lanes[pc][head.write];
      const std::int64_t atom = head.stream.first + head.sent;
      const std::int64_t run = backlog.ready_run(requester, now, map.atoms());
      is_known = is_known && lane.sender == nullptr && run > 0 && atom + run <= map.atoms();
      lane = {&requester, atom, run};
    });
  }
  return is_known;
}

/// Where the streams are, as far as it matters: behind the requests that wait, or of those who
/// send. Requests that wait for the other direction to end are inert.
void Memory::State::find_places() {
  for (std::size_t pc = 0; pc < lanes.size(); ++pc) {
    places[pc] = {StreamPlaces::kNowhere, StreamPlaces::kNowhere};
    inert[pc] = inert_direction(pc);
    for (const bool write : {false, true}) {
      const Lane& lane = lanes[pc][write];
      if (inert[pc] == write) continue;
      if (channel.pseudo_channel(pc).has_waiting(write)) {
        places[pc][write] = sent[pc][write];
      } else if (lane.run > 0) {
        places[pc][write] = lane.atom;
      }
    }
  }
}

/// The direction whose requests nothing depends on but whether there are any, and to which none are
/// added, until a pseudo-channel turns; kNone if there is none.
int Memory::State::inert_direction(std::size_t i) const {
  const PseudoChannel& pc = channel.pseudo_channel(i);
  const bool write = !pc.is_draining();
  if (!graph->knows_inert() || !pc.has_inert(write)) return kNone;
  if (lanes[i][write].run > 0 && pc.has_room(write)) return kNone;
  if (write && pc.first_overdue(true) <= channel.now()) return kNone;
  return write;
}

/// What the lanes have before them, for streams at these places.
std::uint64_t Memory::State::ahead(std::span<const Places> at) const {
  std::uint64_t all = 0;
  for (std::size_t pc = 0; pc < lanes.size(); ++pc) {
    for (const bool write : {false, true}) {
      const Lane& lane = lanes[pc][write];
      const bool is_blocked = inert[pc] == write || (lane.run > 0 && lane.atom != at[pc][write]);
      all = all << 8 | (is_blocked ? StateGraph::kBlocked : StateGraph::ahead_of(lane.run));
    }
  }
  return all;
}

/// The next refreshes of all pseudo-channels, in the order of time.
void Memory::State::list_dues(Tick now) {
  dues.clear();
  for (std::size_t i = 0; i < lanes.size(); ++i) {
    const PseudoChannel& pc = channel.pseudo_channel(i);
    if (pc.refresh_interval() == kNever) continue;
    Tick due = pc.refresh_due() - now;
    for (std::size_t n = 0; n <= StateGraph::kMostDue; ++n, due += pc.refresh_interval()) {
      dues.push_back({due, static_cast<std::uint32_t>(i)});
    }
  }
  std::sort(dues.begin(), dues.end(), [](const StateGraph::Due& a, const StateGraph::Due& b) {
    return a.tick != b.tick ? a.tick < b.tick : a.pc < b.pc;
  });
  if (dues.size() > StateGraph::kMostDue) dues.resize(StateGraph::kMostDue + 1);
}

/// The node of the state now, with streams at these places; nullptr if a request is of none.
StateGraph::Node* Memory::State::describe(std::span<const Places> at) {
  const Tick now = channel.now();
  unsigned streams = 0, close = 0;
  key.restart(now);
  channel.describe_bus(key);
  for (std::size_t i = 0; i < lanes.size(); ++i) {
    const PseudoChannel& pc = channel.pseudo_channel(i);
    const StreamPlaces stream = graph->places(at[i]);
    close |= static_cast<unsigned>(graph->describe_places(stream, key)) << i;
    streams |= (stream.has(0) + 2U * stream.has(1)) << (2 * i);
    const bool both_send = lanes[i][0].run > 0 && lanes[i][1].run > 0;
    key.add(both_send && backlogs[i].is_second_next(*lanes[i][0].sender, *lanes[i][1].sender));
    key.add(inert[i]);
    list_waiting(i);
    key.add(static_cast<std::int64_t>(waiting[i].size()));
    for (const QueuedRequest& request : waiting[i]) {
      if (!stream.has(request.write)) return nullptr;
      const std::int64_t behind = stream.atom[request.write] - slots[request.tag].atom;
      if (behind < 1 || behind > StateGraph::kBehind) return nullptr;
      key.add(code_of(request, behind, now - request.arrived >= pc.starvation()));
    }
    pc.encode(stream, key);
  }
  return graph->node(key.bytes(), streams, close);
}

/// Those that are not inert.
void Memory::State::list_waiting(std::size_t pc) {
  channel.pseudo_channel(pc).list_waiting(waiting[pc]);
  std::erase_if(waiting[pc], [&](const QueuedRequest& r) { return r.write == inert[pc]; });
}

// ---- recording ----------------------------------------------------------------------------------

/// From the state described last.
void Memory::State::start_recording(StateGraph::Node* from) {
  const Tick now = channel.now();
  recording.from = from;
  recording.start = now;
  recording.first_overdue = kNever;
  recording.lanes = lanes;
  recording.places = places;
  recording.inert = inert;
  recording.edge = {};
  recording.edge.ahead = ahead(places);
  recording.edge.tracks.resize(lanes.size());
  list_dues(now);
  recording.dues = dues;
  recording.starts.resize(lanes.size());
  for (std::size_t i = 0; i < lanes.size(); ++i) {
    const PseudoChannel& pc = channel.pseudo_channel(i);
    recording.starts[i] = {pc.counts(), pc.refresh_due(), pc.turns(),
                           pc.far_banks(graph->places(places[i]))};
    if (inert[i] == 1) {
      recording.first_overdue = std::min(recording.first_overdue, pc.first_overdue(true));
    }
    std::int32_t number = 0;
    for (const QueuedRequest& request : waiting[i]) {
      slots[request.tag].recorded = number++;
      if (pc.starvation() == kNever || now - request.arrived >= pc.starvation()) continue;
      recording.first_overdue =
          std::min(recording.first_overdue, request.arrived + pc.starvation());
    }
  }
}

void Memory::State::note_sent(std::size_t pc, bool write, const Backlog::Requester& requester,
                              std::int64_t atom, std::uint32_t tag) {
  if (!recording.is_on()) return;
  const Lane& lane = recording.lanes[pc][write];
  StateGraph::Track& track = recording.edge.tracks[pc];
  const bool is_expected = lane.sender == &requester && track.sent[write] < lane.run &&
                           atom == recording.places[pc][write] + track.sent[write] &&
                           track.sent[write] + 1 < StateGraph::kPlenty;
  if (!is_expected) return recording.spoil();
  ++track.sent[write];
  track.writes_last = write;
  slots[tag].recorded = -1 - static_cast<std::int32_t>(channel.now() - recording.start);
}

void Memory::State::note_served(std::size_t pc, bool write, const Slots::Request& request) {
  if (recording.places[pc][write] == StreamPlaces::kNowhere) return recording.spoil();
  const std::int64_t tick = channel.now() - recording.start;
  if (tick > StateGraph::kMostTicks) return recording.spoil();
  const std::int64_t atom = request.atom - recording.places[pc][write];
  StateGraph::Track& track = recording.edge.tracks[pc];
  track.served[write].push_back({static_cast<std::int16_t>(atom), static_cast<std::int16_t>(tick)});
  track.last[write] = static_cast<std::int32_t>(tick);
}

/// Ends the recording, if there is one. The node of the state now, if it was described and the
/// streams go on from it; `places` are its.
StateGraph::Node* Memory::State::finish_recording() {
  if (!recording.is_on()) return nullptr;
  StateGraph::Node* const from = std::exchange(recording.from, nullptr);
  const Tick now = channel.now();
  StateGraph::Edge& edge = recording.edge;
  edge.length = now - recording.start;
  std::size_t due = 0;
  bool goes_on = true;
  for (std::size_t i = 0; i < lanes.size(); ++i) {
    const PseudoChannel& pc = channel.pseudo_channel(i);
    const Recording::Start& start = recording.starts[i];
    StateGraph::Track& track = edge.tracks[i];
    track.counts = pc.counts() - start.counts;
    if (pc.refresh_interval() != kNever) {
      track.refreshes =
          static_cast<std::int32_t>((pc.refresh_due() - start.refresh_due) / pc.refresh_interval());
      due += static_cast<std::size_t>(track.refreshes);
    }
    if (recording.inert[i] != kNone && pc.turns() != start.turns) return nullptr;
    inert[i] = inert_direction(i);
    if (inert[i] != recording.inert[i]) return nullptr;
    list_waiting(i);
    std::array<bool, 2> waits{};
    for (const QueuedRequest& request : waiting[i]) {
      waits[request.write] = true;
      track.waiting.push_back(static_cast<std::int16_t>(slots[request.tag].recorded));
    }
    Places& place = places[i];
    place = recording.places[i];
    for (const bool write : {false, true}) {
      if (place[write] != StreamPlaces::kNowhere) place[write] += track.sent[write];
    }
    // A stream that is over, and left nothing behind, is forgotten.
    const PseudoChannel::NearRows rows = pc.near_rows(graph->places(place));
    std::array<bool, 2> kept{};
    for (const bool write : {false, true}) {
      const Lane& lane = lanes[i][write];
      const bool is_there = place[write] != StreamPlaces::kNowhere;
      const bool sends = lane.run > 0 && is_there && lane.atom == place[write];
      const bool is_blocked = inert[i] == write || waits[write];
      goes_on = goes_on && (lane.run == 0 || sends || is_blocked);
      kept[write] = is_there && (waits[write] || sends || rows.only[write]);
    }
    if (rows.both && !kept[0] && !kept[1]) kept[0] = true;
    for (const bool write : {false, true}) {
      if (!kept[write]) place[write] = StreamPlaces::kNowhere;
    }
    if ((pc.far_banks(graph->places(place)) & ~start.far_banks) != 0) return nullptr;
    for (std::vector<StateGraph::ServedAtom>& served : track.served) {
      std::sort(served.begin(), served.end(),
                [](const auto& a, const auto& b) { return a.atom < b.atom; });
    }
    if (pc.starvation() != kNever && edge.length >= pc.starvation()) return nullptr;
  }
  if (edge.length > StateGraph::kMostTicks || recording.first_overdue <= now) return nullptr;
  if (due >= std::max<std::size_t>(recording.dues.size(), 1)) return nullptr;
  edge.to = describe(places);
  if (edge.to == nullptr) return nullptr;
  StateGraph::Node* const to = edge.to;
  graph->add(*from, std::move(edge), recording.dues, due);
  return goes_on ? to : nullptr;
}

}  // namespace presil::dram

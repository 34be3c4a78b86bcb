#include "dram/transfers/state_graph.h"

#include <algorithm>
#include <bit>
#include <mutex>

namespace presil::dram {
namespace {

/// Larger parts are not replayed: rows are kept in 32 bits.
constexpr std::int64_t kMaxAtoms = 1LL << 40;
constexpr std::int64_t kMaxRows = 1 << 26;
/// Streams whose rows are nearer to each other than this are close.
constexpr std::int64_t kCloseRows = 4 * PseudoChannel::kNearRows;
/// What a graph may take, about, and how many are kept for later.
constexpr std::size_t kMostBytes = 192 << 20;
constexpr std::size_t kMostGraphs = 2;

bool can_replay(const Policy& policy) {
  return policy.page != PagePolicy::adaptive && policy.controller.scheduler != Scheduler::fcfs &&
         policy.controller.postpone == 0 && policy.controller.rfm_threshold == 0;
}

/// The slots of a timing state that some rule pushes back and somebody asks for, by place.
std::vector<std::vector<int>> live_slots(const TimingTable& table) {
  std::vector<bool> pushed(static_cast<std::size_t>(table.slots()));
  for (int command = 0; command < kCommands; ++command) {
    for (int bank = 0; bank < table.banks(); ++bank) {
      for (const TimingTable::Update& u : table.updates(static_cast<Command>(command), bank)) {
        pushed[static_cast<std::size_t>(u.slot)] = true;
      }
    }
  }
  for (const TimingTable::Window& window : table.windows()) {
    pushed[static_cast<std::size_t>(table.slot(window.command, 0))] = true;
  }
  std::vector<std::vector<int>> live;
  for (int place = 0; place < table.places(); ++place) {
    std::vector<int>& slots = live.emplace_back();
    for (int c = 0; c < kCommands; ++c) {
      const int slot = table.slot(static_cast<Command>(c), place);
      const bool is_asked = static_cast<Command>(c) != Command::RFM;  // replay is without
      if (is_asked && pushed[static_cast<std::size_t>(slot)]) slots.push_back(slot);
    }
  }
  return live;
}

/// All that the behaviour of a channel depends on.
std::string identity(const MemoryPart& part, BitsPerSecond rate, const Policy& policy,
                     const AddressMap& map) {
  StateKey key(0, 0, 1);
  for (const std::int64_t n :
       {part.pseudo_channels, part.stack_ids, part.bank_groups, part.banks, part.rows,
        part.page.count(), part.width, part.burst_length, part.ticks_per_clock, part.act_ticks,
        part.pre_ticks, part.refresh_ticks, part.column_ticks, map.atoms()}) {
    key.add(n);
  }
  const auto add_real = [&](double x) { key.add(std::bit_cast<std::int64_t>(x)); };
  add_real(rate.count());
  add_real(part.bits_per_clock);
  key.add(part.shared_command_bus);
  for (const DramTimingField& field : dram_timing_fields()) {
    const DramTiming& timing = part.*field.member;
    key.add(timing.time.count());
    key.add(timing.min_cycles);
  }
  key.add(static_cast<std::int64_t>(policy.refresh));
  key.add(static_cast<std::int64_t>(policy.page));
  key.add(policy.hot);
  const Controller& c = policy.controller;
  for (const std::int64_t n : {static_cast<std::int64_t>(c.scheduler), c.queue,
                               c.starvation.count(), c.postpone, c.rfm_threshold}) {
    key.add(n);
  }
  for (const double x : {c.write_low, c.write_high, c.refresh_stagger}) add_real(x);
  return key.bytes() + part.mapping;
}

/// The graphs that nobody has at the moment, the last one given back at the end.
struct Shelf {
  std::mutex mutex;
  std::deque<std::pair<std::string, std::unique_ptr<StateGraph>>> graphs;
};

Shelf& shelf() {
  static Shelf* const all = new Shelf;  // outlives every memory
  return *all;
}

}  // namespace

std::shared_ptr<StateGraph> StateGraph::borrow(const MemoryPart& part, BitsPerSecond rate,
                                               const Policy& policy, const AddressMap& map,
                                               const TimingTable& table,
                                               std::int64_t atoms_per_line) {
  std::string name = identity(part, rate, policy, map);
  std::unique_ptr<StateGraph> graph;
  {
    const std::lock_guard lock(shelf().mutex);
    auto& graphs = shelf().graphs;
    const auto found = std::find_if(graphs.rbegin(), graphs.rend(),
                                    [&](const auto& g) { return g.first == name; });
    if (found != graphs.rend()) {
      graph = std::move(found->second);
      graphs.erase(std::next(found).base());
    }
  }
  if (graph == nullptr) {
    graph = std::make_unique<StateGraph>(map, policy, table, static_cast<int>(part.total_banks()),
                                         atoms_per_line);
  }
  return {graph.release(), [name = std::move(name)](StateGraph* done) {
            std::unique_ptr<StateGraph> dropped;  // outside of the lock
            const std::lock_guard lock(shelf().mutex);
            auto& graphs = shelf().graphs;
            graphs.emplace_back(name, done);
            if (graphs.size() <= kMostGraphs) return;
            dropped = std::move(graphs.front().second);
            graphs.pop_front();
          }};
}

std::size_t StateGraph::Hash::operator()(const Key& key) const {
  constexpr std::uint64_t kFactor = 0x9E3779B97F4A7C15ULL;
  std::uint64_t hash = key.size();
  for (const std::uint32_t n : key) {
    hash = (hash ^ n) * kFactor;
    hash ^= hash >> 29;
  }
  return hash;
}

StateGraph::StateGraph(const AddressMap& map, const Policy& policy, const TimingTable& table,
                       int banks, std::int64_t atoms_per_line)
    : map_(map), per_line_(atoms_per_line), sweep_(map.row_sweep()), live_(live_slots(table)) {
  if (!can_replay(policy) || map.period() == 0 || sweep_ % per_line_ != 0) return;
  if (map.atoms() > kMaxAtoms || map.rows() > kMaxRows) return;
  // Idle rows are shut, and single banks refreshed, in the order of their numbers.
  banks_are_alike_ = policy.page == PagePolicy::open && policy.refresh != Refresh::per_bank &&
                     map.period() % per_line_ == 0;
  period_ = banks_are_alike_ ? map.period() : sweep_;
  orders_.resize(static_cast<std::size_t>(sweep_ / per_line_));
  by_number_.slots = live_[0];
  for (int bank = 0; bank < banks; ++bank) {
    bank_places_.push_back(table.places_of(bank));
    by_number_.banks.push_back(static_cast<std::uint8_t>(bank));
  }
  for (std::size_t place = 1; place < live_.size(); ++place) {
    by_number_.slots.insert(by_number_.slots.end(), live_[place].begin(), live_[place].end());
  }
}

// ---- where streams are --------------------------------------------------------------------------

const BankOrder& StateGraph::order(std::int64_t line) {
  std::unique_ptr<BankOrder>& known = orders_[static_cast<std::size_t>(line)];
  if (known != nullptr) return *known;
  known = std::make_unique<BankOrder>();
  known->next_row.resize(bank_places_.size());
  known->slots = live_[0];
  std::vector<bool> has_bank(bank_places_.size()), has_place(live_.size());
  for (std::int64_t atom = line * per_line_; atom < line * per_line_ + sweep_; ++atom) {
    const int bank = map_.locate(atom % sweep_).bank;
    const auto b = static_cast<std::size_t>(bank);
    if (has_bank[b]) continue;
    has_bank[b] = true;
    known->banks.push_back(static_cast<std::uint8_t>(bank));
    known->next_row[b] = atom >= sweep_ ? 1 : 0;
    for (const int place :
         {bank_places_[b].stack_id, bank_places_[b].group, bank_places_[b].bank}) {
      const auto p = static_cast<std::size_t>(place);
      if (has_place[p]) continue;
      has_place[p] = true;
      known->slots.insert(known->slots.end(), live_[p].begin(), live_[p].end());
    }
  }
  return *known;
}

StreamPlaces StateGraph::places(const std::array<std::int64_t, 2>& atoms) {
  StreamPlaces places;
  for (const std::size_t direction : {0U, 1U}) {
    const std::int64_t atom = atoms[direction];
    if (atom == StreamPlaces::kNowhere) continue;
    places.atom[direction] = atom;
    places.row[direction] = atom / sweep_;
    places.order[direction] = &order(atom % sweep_ / per_line_);
    if (places.first == nullptr) places.first = places.order[direction];
  }
  if (!banks_are_alike_ || places.first == nullptr) places.first = &by_number_;
  return places;
}

bool StateGraph::are_close(const std::array<std::int64_t, 2>& atoms) const {
  if (atoms[0] == StreamPlaces::kNowhere || atoms[1] == StreamPlaces::kNowhere) return false;
  const std::int64_t apart = atoms[1] - atoms[0];
  return apart > -kCloseRows * sweep_ && apart < kCloseRows * sweep_;
}

bool StateGraph::describe_places(const StreamPlaces& places, StateKey& key) const {
  key.add(places.has(0) + 2 * places.has(1));
  if (places.has(0)) key.add(places.atom[0] % period_);
  if (!places.has(1)) return false;
  if (!places.has(0)) {
    key.add(places.atom[1] % period_);
    return false;
  }
  const std::int64_t apart = places.atom[1] - places.atom[0];
  const bool close = are_close(places.atom);
  key.add(close);
  key.add(close ? apart : (apart % sweep_ + sweep_) % sweep_);
  return close;
}

void StateGraph::skip_places(StateReader& reader) {
  const std::int64_t has = reader.next();
  for (int numbers = has == 3 ? 3 : has == 0 ? 0 : 1; numbers > 0; --numbers) reader.next();
}

// ---- nodes and edges ----------------------------------------------------------------------------

StateGraph::Node* StateGraph::node(const std::string& code, unsigned streams, unsigned close) {
  const auto [found, is_new] = nodes_.try_emplace(code);
  Node& node = found->second;
  if (is_new) {
    node.code = found->first;
    node.number = static_cast<std::uint32_t>(nodes_.size());
    node.streams = streams;
    node.close = close;
    bytes_ += code.size() + sizeof node + 64;
  }
  return &node;
}

void StateGraph::set_key(const Node& from, std::uint64_t ahead, const std::vector<Due>& dues,
                         std::size_t due) {
  key_.assign(
      {from.number, static_cast<std::uint32_t>(ahead), static_cast<std::uint32_t>(ahead >> 32)});
  for (std::size_t i = 0; i < due; ++i) {
    key_.push_back(static_cast<std::uint32_t>(dues[i].tick));
    key_.push_back(dues[i].pc);
  }
}

const StateGraph::Edge* StateGraph::find_plain(const Node& from, std::uint64_t ahead,
                                               Tick next_due) const {
  for (const Edge* edge : from.plain) {
    if (edge->ahead == ahead) return edge->length < next_due ? edge : nullptr;
  }
  return nullptr;
}

const StateGraph::Edge* StateGraph::find(const Node& from, std::uint64_t ahead,
                                         const std::vector<Due>& dues) {
  for (std::size_t due = 1; due <= std::min(dues.size(), kMostDue); ++due) {
    set_key(from, ahead, dues, due);
    const auto found = with_refresh_.find(key_);
    if (found == with_refresh_.end()) continue;
    if (due == dues.size() || found->second->length < dues[due].tick) return found->second;
  }
  return nullptr;
}

void StateGraph::count_bytes(const Edge& edge) {
  bytes_ += sizeof edge + 64;
  for (const Track& track : edge.tracks) {
    bytes_ += sizeof track + track.waiting.size() * sizeof track.waiting[0] +
              (track.served[0].size() + track.served[1].size()) * sizeof(ServedAtom);
  }
}

void StateGraph::join(Node& from, std::span<const Edge* const> legs) {
  Edge joined;
  joined.to = legs.back()->to;
  joined.ahead = legs.front()->ahead;
  joined.tracks.resize(legs.front()->tracks.size());
  for (const Edge* leg : legs) {
    for (std::size_t pc = 0; pc < joined.tracks.size(); ++pc) {
      Track& track = joined.tracks[pc];
      const Track& next = leg->tracks[pc];
      const auto start = static_cast<std::int32_t>(joined.length);
      track.counts += next.counts;
      for (const std::size_t direction : {0U, 1U}) {
        for (const ServedAtom& served : next.served[direction]) {
          track.served[direction].push_back(
              {static_cast<std::int16_t>(served.atom + track.sent[direction]),
               static_cast<std::int16_t>(served.tick + start)});
          track.last[direction] = std::max(track.last[direction], served.tick + start);
        }
        track.sent[direction] += next.sent[direction];
      }
      if (next.sent[0] + next.sent[1] > 0) track.writes_last = next.writes_last;
      std::vector<std::int16_t> waiting;
      for (const std::int16_t before : next.waiting) {
        waiting.push_back(before >= 0 && leg != legs.front()
                              ? track.waiting[static_cast<std::size_t>(before)]
                              : static_cast<std::int16_t>(before < 0 ? before - start : before));
      }
      track.waiting = std::move(waiting);
    }
    joined.length += leg->length;
  }
  if (joined.length > kMostTicks) return;
  for (Track& track : joined.tracks) {
    for (std::vector<ServedAtom>& served : track.served) {
      std::sort(served.begin(), served.end(),
                [](const ServedAtom& a, const ServedAtom& b) { return a.atom < b.atom; });
    }
  }
  count_bytes(joined);
  edges_.push_back(std::move(joined));
  from.longer = &edges_.back();
}

void StateGraph::add(Node& from, Edge edge, const std::vector<Due>& dues, std::size_t due) {
  count_bytes(edge);
  edges_.push_back(std::move(edge));
  if (due == 0) {
    from.plain.push_back(&edges_.back());
    return;
  }
  set_key(from, edges_.back().ahead, dues, due);
  with_refresh_.insert_or_assign(key_, &edges_.back());
  from.has_others = true;
}

bool StateGraph::forget_if_full() {
  if (bytes_ < kMostBytes) return false;
  nodes_.clear();
  with_refresh_.clear();
  edges_.clear();
  bytes_ = 0;
  return true;
}

}  // namespace presil::dram

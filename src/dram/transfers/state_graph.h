// The states that a channel has been in, and what came after each, remembered.
//
// A node is a state: everything that the future depends on but for what will be sent and for the
// moments of the next refreshes (channel_code.h). An edge is a short stretch of time that began
// there, with so much to send and these refreshes in it: what was served when, what was counted,
// and the node where it ended. Whoever stands on a node and finds the edge of what is before him
// can go along it instead of simulating, and need not look at the channel again before he comes to
// a node from which no fitting edge leads.
//
// A graph is good for all memories of the same part and policy, one after the other; borrow() lends
// it, so that nobody has to lock anything on the way.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "dram/event/channel.h"
#include "dram/transfers/backlog.h"
#include "dram/transfers/channel_code.h"

namespace presil::dram {

class StateGraph {
 public:
  /// Stretches end where the first pseudo-channel has sent a multiple of so many atoms: long enough
  /// to be worth a look, and short enough that little is to be simulated around a refresh.
  static constexpr std::int64_t kAtoms = 64;
  /// A stream of so many atoms more is as good as an endless one.
  static constexpr std::int64_t kPlenty = 200;
  /// A stream that cannot go on, or not from its place.
  static constexpr std::uint64_t kBlocked = 255;
  /// Requests lie at most so far behind what their stream sends next.
  static constexpr std::int64_t kBehind = 2048;

  struct Node;

  /// A refresh that falls due, in ticks from the start of a stretch.
  struct Due {
    Tick tick = 0;
    std::uint32_t pc = 0;
  };
  struct ServedAtom {
    std::int16_t atom = 0;  // from what its stream was to send next at the start; those sent: < 0
    std::int16_t tick = 0;  // of its RD or WR
  };
  /// Of one pseudo-channel.
  struct Track {
    ChannelCounts counts;
    std::int32_t refreshes = 0;  // that fell due
    std::array<std::int32_t, 2> sent{};
    bool writes_last = false;                       // of those sent
    std::array<std::vector<ServedAtom>, 2> served;  // in the order of atoms
    std::array<std::int32_t, 2> last{};             // tick of the last of them
    // The requests that wait at the end, oldest first: which one of those at the start it is, or
    // -1 - the tick at which it was sent.
    std::vector<std::int16_t> waiting;
  };
  struct Edge {
    Node* to = nullptr;
    Tick length = 0;
    std::uint64_t ahead = 0;  // what there was to send, ahead_of()
    std::vector<Track> tracks;
  };
  /// Some edges without a refresh, one after the other, make a longer one.
  static constexpr std::size_t kLegs = 8;
  static constexpr std::int64_t kPlentyForLong = 8 * kPlenty;
  static constexpr Tick kMostTicks = 32'000;  // of an edge, so that 16 bits do

  struct Node {
    std::string_view code;
    std::uint32_t number = 0;
    unsigned streams = 0;      // places known: bit 2 pc + direction
    unsigned close = 0;        // bit pc: reads and writes are at rows close to each other
    std::vector<Edge*> plain;  // edges without a refresh
    Edge* longer = nullptr;    // one of several legs
    bool was_left = false;     // once for several legs
    bool has_others = false;
  };

  StateGraph(const AddressMap& map, const Policy& policy, const TimingTable& table, int banks,
             std::int64_t atoms_per_line);

  /// A graph of this part at this rate under this policy that nobody else has; it may know much
  /// already. It goes back to where it came from when the last owner lets go.
  static std::shared_ptr<StateGraph> borrow(const MemoryPart& part, BitsPerSecond rate,
                                            const Policy& policy, const AddressMap& map,
                                            const TimingTable& table, std::int64_t atoms_per_line);

  /// Whether the policy and the map allow states to be told apart.
  bool applies() const { return period_ > 0; }
  /// Whether requests of the direction that is not served change nothing.
  bool knows_inert() const { return banks_are_alike_; }

  StreamPlaces places(const std::array<std::int64_t, 2>& atoms);
  /// What of the streams' places matters, and whether they are close to each other.
  bool describe_places(const StreamPlaces& places, StateKey& key) const;
  static void skip_places(StateReader& reader);
  bool are_close(const std::array<std::int64_t, 2>& atoms) const;
  /// What a pseudo-channel has to send, as a number; one after the other make Edge::ahead.
  static std::uint64_t ahead_of(std::int64_t run) {
    return static_cast<std::uint64_t>(run < kPlenty ? run : kPlenty);
  }

  Node* node(const std::string& code, unsigned streams, unsigned close);
  /// The edge from `from` with so much ahead, in which no refresh falls due if the next does so
  /// only `next_due` ticks later.
  const Edge* find_plain(const Node& from, std::uint64_t ahead, Tick next_due) const;
  /// The one with refreshes; `dues` are the next ones, in the order of time.
  const Edge* find(const Node& from, std::uint64_t ahead, const std::vector<Due>& dues);
  /// Joins edges without a refresh that were gone along from `from`, one after the other.
  void join(Node& from, std::span<const Edge* const> legs);
  /// Adds one in which the first `due` of the refreshes fall due.
  void add(Node& from, Edge edge, const std::vector<Due>& dues, std::size_t due);
  /// Forgets everything, if there is too much of it. Nobody may be on the way.
  bool forget_if_full();

  /// More refreshes in one stretch are not remembered.
  static constexpr std::size_t kMostDue = 12;

 private:
  using Key = std::vector<std::uint32_t>;
  struct Hash {
    std::size_t operator()(const Key& key) const;
  };

  const BankOrder& order(std::int64_t line);
  void set_key(const Node& from, std::uint64_t ahead, const std::vector<Due>& dues,
               std::size_t due);

  AddressMap map_;
  std::int64_t period_ = 0, per_line_ = 1, sweep_ = 1;
  bool banks_are_alike_ = true;         // but for their order
  std::vector<std::vector<int>> live_;  // slots by place
  std::vector<TimingTable::Places> bank_places_;
  std::vector<std::unique_ptr<BankOrder>> orders_;  // by line, where known
  BankOrder by_number_;

  std::unordered_map<std::string, Node> nodes_;
  std::deque<Edge> edges_;
  std::unordered_map<Key, Edge*, Hash> with_refresh_;
  Key key_;
  void count_bytes(const Edge& edge);

  std::size_t bytes_ = 0;
};

}  // namespace presil::dram

// The two kinds of source: requests that come whatever happens, and requests that wait for others
// to end.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <vector>

#include "serving/load/arrivals.h"
#include "serving/load/load.h"
#include "serving/load/shapes.h"
#include "serving/source.h"

namespace presil::serving {

/// Where a source stops, if its requests do not end before.
struct Limits {
  std::int64_t requests;
  Nanoseconds end;  // no request comes then or later
};

/// Requests that come at their trace's times, all times multiplied by `stretch`, or at those of a
/// process.
class OpenSource : public RequestSource {
 public:
  OpenSource(std::unique_ptr<Shapes> shapes, std::optional<ArrivalProcess> process, double stretch,
             Limits limits);
  std::optional<Request> next() override;
  Nanoseconds next_arrival() const override;

 private:
  void prepare();

  std::unique_ptr<Shapes> shapes_;
  std::optional<ArrivalProcess> process_;
  double stretch_;
  Limits limits_;
  std::int64_t requests_ = 0;
  std::optional<Request> ready_;
};

/// Conversations: one starts with each arrival of a process, or each of a number of users has one
/// after another. A conversation of one turn is a request.
class ConversationSource : public RequestSource {
 public:
  /// With `process`, `loop` is not read; without, its users start at 0.
  ConversationSource(std::unique_ptr<Shapes> shapes, std::optional<ArrivalProcess> process,
                     const ClosedLoop& loop, const Sessions& sessions, std::uint64_t seed,
                     Limits limits);
  std::optional<Request> next() override;
  void ended(const Request& request, Nanoseconds at) override;
  Nanoseconds next_arrival() const override;

 private:
  /// Somebody who will ask: the next turn of a conversation, or of conversation -1: a new one.
  struct Due {
    Nanoseconds at;
    std::int64_t order;  // of being told; breaks ties
    Turn turn;
    friend bool operator>(const Due& a, const Due& b) {
      return a.at != b.at ? a.at > b.at : a.order > b.order;
    }
  };

  void wait_until(Nanoseconds at, const Turn& turn);
  Nanoseconds after_thinking(const Request& request, Nanoseconds at, Seconds mean) const;

  std::unique_ptr<Shapes> shapes_;
  std::optional<ArrivalProcess> process_;
  Seconds think_between_;  // conversations of a user
  Sessions sessions_;
  std::uint64_t seed_;
  Limits limits_;
  std::int64_t requests_ = 0;
  std::int64_t conversations_ = 0;
  std::int64_t told_ = 0;
  Nanoseconds next_start_ = kLongestService;  // by the process
  std::priority_queue<Due, std::vector<Due>, std::greater<>> due_;
  std::map<std::int64_t, Turn> asked_;  // by the request that is being served: the turn behind it
};

}  // namespace presil::serving

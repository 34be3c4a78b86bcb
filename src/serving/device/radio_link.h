// One radio in use: which bytes are on the air, what follows, and what it draws meanwhile.
//
// Messages of one direction go one after another, in the order they were given; the directions do
// not disturb each other. Whoever owns the link calls ended() when a message is through.
#pragma once

#include <algorithm>
#include <deque>
#include <optional>

#include "serving/device/radio.h"

namespace presil::serving {

/// What a message carries, for whoever receives it.
struct Message {
  enum class Kind { prompt, draft, tokens, kv_cache };
  std::int64_t job = 0;
  Kind kind = Kind::prompt;
  std::int64_t tokens = 0;
  Bytes bytes;
};

class RadioLink {
 public:
  explicit RadioLink(const Radio& radio) : radio_(radio) {}

  /// Puts a message behind those that wait. When it is the next, the answer is when it is through;
  /// `now` never goes backwards over the calls of a link.
  std::optional<Nanoseconds> send(Direction direction, const Message& message, Nanoseconds now);

  struct Ended {
    std::optional<Nanoseconds> next;  // when the message behind it is through
    Message next_message;
  };
  /// The message on the air is through, at `now`.
  Ended ended(Direction direction, Nanoseconds now);

  /// Stays connected until `until`, as a call keeps it, and draws `power` more for its packets.
  void hold(Nanoseconds until, Watts power);

  /// Drawn from `now` until changes_at(now) or the next call that changes the link.
  Watts power(Nanoseconds now) const;
  Nanoseconds changes_at(Nanoseconds now) const;
  /// When it idles if nothing more comes. Requires that nothing is on the air.
  Nanoseconds idle_from() const { return std::max(tail_ends_, held_until_); }

  const Radio& radio() const { return radio_; }
  Bytes moved(Direction direction) const { return lane(direction).moved; }

 private:
  struct Lane {
    std::deque<Message> messages;  // the first is on the air
    Bytes moved;
  };

  const Lane& lane(Direction d) const { return d == Direction::up ? up_ : down_; }
  Lane& lane(Direction d) { return d == Direction::up ? up_ : down_; }
  bool sending() const { return !up_.messages.empty() || !down_.messages.empty(); }
  Nanoseconds start(Direction direction, Nanoseconds now);

  Radio radio_;
  Lane up_, down_;
  Nanoseconds ready_at_;  // connected from then on, until the tail ends
  Nanoseconds tail_ends_;
  Nanoseconds held_until_;
  Watts held_power_;
};

}  // namespace presil::serving

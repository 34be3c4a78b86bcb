#include "serving/device/radio_link.h"

namespace presil::serving {

Nanoseconds RadioLink::start(Direction direction, Nanoseconds now) {
  const Message& message = lane(direction).messages.front();
  return std::max(now, ready_at_) + airtime(radio_, direction, message.bytes);
}

std::optional<Nanoseconds> RadioLink::send(Direction direction, const Message& message,
                                           Nanoseconds now) {
  if (!sending() && now >= idle_from()) ready_at_ = now + radio_.promotion.time;
  Lane& l = lane(direction);
  l.messages.push_back(message);
  if (l.messages.size() > 1) return std::nullopt;
  return start(direction, now);
}

RadioLink::Ended RadioLink::ended(Direction direction, Nanoseconds now) {
  Lane& l = lane(direction);
  l.moved += l.messages.front().bytes;
  l.messages.pop_front();
  tail_ends_ = now + radio_.tail.time;
  Ended result;
  if (!l.messages.empty()) {
    result.next = start(direction, now);
    result.next_message = l.messages.front();
  }
  return result;
}

void RadioLink::hold(Nanoseconds until, Watts power) {
  held_until_ = until;
  held_power_ = power;
}

Watts RadioLink::power(Nanoseconds now) const {
  const Watts held = now < held_until_ ? held_power_ : Watts(0);
  if (!sending()) return held + (now < idle_from() ? radio_.tail.power : radio_.idle);
  if (now < ready_at_) return held + radio_.promotion.power;
  Watts sum = held + radio_.active;
  for (const Direction d : {Direction::up, Direction::down}) {
    if (lane(d).messages.empty()) continue;
    sum += Watts(radio_.energy(d).count() * radio_.rate(d).count());
  }
  return sum;
}

Nanoseconds RadioLink::changes_at(Nanoseconds now) const {
  Nanoseconds next = kLongestService;
  for (const Nanoseconds at : {held_until_, sending() ? ready_at_ : tail_ends_}) {
    if (at > now) next = std::min(next, at);
  }
  return next;
}

}  // namespace presil::serving

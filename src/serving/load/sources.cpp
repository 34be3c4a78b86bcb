#include "serving/load/sources.h"

#include <algorithm>

#include "base/draws.h"
#include "base/error.h"
#include "serving/load/streams.h"

namespace presil::serving {
namespace {

constexpr Turn kNewConversation = {.conversation = -1};

Nanoseconds stretched(Nanoseconds at, double factor) {
  const double ns = static_cast<double>(at.count()) * factor;
  if (ns >= static_cast<double>(kLongestService.count())) {
    throw InputError("load: at this rate requests would come after 146 years");
  }
  return factor == 1 ? at : Nanoseconds(static_cast<std::int64_t>(ns));
}

}  // namespace

OpenSource::OpenSource(std::unique_ptr<Shapes> shapes, std::optional<ArrivalProcess> process,
                       double stretch, Limits limits)
    : shapes_(std::move(shapes)), process_(std::move(process)), stretch_(stretch), limits_(limits) {
  prepare();
}

void OpenSource::prepare() {
  ready_.reset();
  if (requests_ == limits_.requests || !shapes_->more()) return;
  Request r = shapes_->next({.conversation = requests_});
  r.id = requests_++;
  r.arrival = process_ ? process_->next() : stretched(r.arrival, stretch_);
  if (r.arrival >= limits_.end) {
    limits_.requests = requests_;  // those behind it come later still
    return;
  }
  ready_ = std::move(r);
}

std::optional<Request> OpenSource::next() {
  std::optional<Request> r = std::move(ready_);
  if (r) prepare();
  return r;
}

Nanoseconds OpenSource::next_arrival() const {
  return ready_ ? ready_->arrival : kLongestService;
}

ConversationSource::ConversationSource(std::unique_ptr<Shapes> shapes,
                                       std::optional<ArrivalProcess> process,
                                       const ClosedLoop& loop, const Sessions& sessions,
                                       std::uint64_t seed, Limits limits)
    : shapes_(std::move(shapes)),
      process_(std::move(process)),
      think_between_(loop.think_time),
      sessions_(sessions),
      seed_(seed),
      limits_(limits) {
  if (process_) {
    next_start_ = process_->next();
  } else {
    for (std::int64_t user = 0; user < loop.users; ++user)
      wait_until(Nanoseconds(0), kNewConversation);
  }
}

void ConversationSource::wait_until(Nanoseconds at, const Turn& turn) {
  due_.push({at, told_++, turn});
}

Nanoseconds ConversationSource::next_arrival() const {
  if (requests_ == limits_.requests || !shapes_->more()) return kLongestService;
  const Nanoseconds at = due_.empty() ? next_start_ : std::min(next_start_, due_.top().at);
  return at < limits_.end ? at : kLongestService;
}

std::optional<Request> ConversationSource::next() {
  const Nanoseconds at = next_arrival();
  if (at == kLongestService) return std::nullopt;
  Turn turn = kNewConversation;
  if (!due_.empty() && due_.top().at == at) {
    turn = due_.top().turn;
    due_.pop();
  } else {
    next_start_ = process_->next();
  }
  if (turn.conversation < 0) turn.conversation = conversations_++;
  Request r = shapes_->next(turn);
  r.id = requests_++;
  r.arrival = at;
  if (sessions_.turns > 1) {
    asked_[r.id] = {turn.conversation, turn.number + 1, r.prompt_tokens + r.output_tokens};
  }
  return r;
}

Nanoseconds ConversationSource::after_thinking(const Request& request, Nanoseconds at,
                                               Seconds mean) const {
  const double draw =
      Draws(seed_, stream::think, static_cast<std::uint64_t>(request.id)).exponential();
  const Nanoseconds thinking = to_nanoseconds(Seconds(mean.count() * draw));
  return thinking < kLongestService - at ? at + thinking : kLongestService;
}

void ConversationSource::ended(const Request& request, Nanoseconds at) {
  if (const auto asked = asked_.find(request.id); asked != asked_.end()) {
    const Turn turn = asked->second;
    asked_.erase(asked);
    // A conversation also ends before its next prompt could be longer than any may be.
    if (turn.number < sessions_.turns && turn.context <= kMostTokens - kLongestDraw) {
      return wait_until(after_thinking(request, at, sessions_.think_time), turn);
    }
  }
  if (!process_) wait_until(after_thinking(request, at, think_between_), kNewConversation);
}

}  // namespace presil::serving

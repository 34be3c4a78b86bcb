#include "serving/cluster/admission.h"

#include <algorithm>
#include <cmath>

namespace presil::serving {

TokenBucket::TokenBucket(const TokenBucketSpec& spec)
    : rate_(spec.rate.count() * 1e-9), burst_(static_cast<double>(spec.burst)), level_(burst_) {}

void TokenBucket::fill(Nanoseconds now) {
  level_ = std::min(burst_, level_ + rate_ * static_cast<double>((now - filled_).count()));
  filled_ = now;
}

double TokenBucket::wanted(std::int64_t tokens) const {
  return std::min(static_cast<double>(tokens), burst_);
}

bool TokenBucket::has(std::int64_t tokens, Nanoseconds now) {
  // ready() rounds up to a nanosecond, which may be a rounding error of the level short.
  constexpr double kSlack = 1e-6;
  fill(now);
  return level_ + kSlack >= wanted(tokens);
}

void TokenBucket::take(std::int64_t tokens, Nanoseconds now) {
  fill(now);
  level_ -= wanted(tokens);
}

Nanoseconds TokenBucket::ready(std::int64_t tokens, Nanoseconds now) {
  fill(now);
  const double missing = wanted(tokens) - level_;
  if (missing <= 0) return now;
  return now + to_nanoseconds(Seconds(missing / rate_ * 1e-9));
}

Gate::Gate(const AdmissionSpec& spec) : spec_(spec) {
  if (spec.bucket) bucket_.emplace(*spec.bucket);
}

bool Gate::allows(const ServiceLoad& load) const {
  if (load.replicas == 0) return false;
  if (spec_.max_queue &&
      static_cast<double>(load.waiting) >= *spec_.max_queue * static_cast<double>(load.replicas)) {
    return false;
  }
  if (spec_.max_wait && load.tokens_per_s > 0) {
    const Seconds wait(static_cast<double>(load.outstanding_tokens) / load.tokens_per_s);
    if (wait > to_seconds(*spec_.max_wait)) return false;
  }
  return true;
}

bool Gate::enter(const Request& request, Nanoseconds now, const ServiceLoad& load) {
  if (!allows(load)) return false;
  if (!bucket_) return true;
  if (!bucket_->has(request.prompt_tokens, now)) return false;
  bucket_->take(request.prompt_tokens, now);
  return true;
}

bool Gate::admit(const Request& request, int priority, Nanoseconds now, const ServiceLoad& load) {
  const bool first = lines_.empty() || lines_.begin()->first < priority;
  return first && enter(request, now, load);
}

bool Gate::hold(const Request& request, int priority, Nanoseconds now) {
  if (spec_.hold.count() == 0) return false;
  lines_[priority].push_back({request, now + spec_.hold});
  ++held_;
  return true;
}

Request Gate::take_first(Lines::iterator line) {
  Request request = std::move(line->second.front().request);
  line->second.pop_front();
  if (line->second.empty()) lines_.erase(line);
  --held_;
  return request;
}

std::optional<Request> Gate::let_in(Nanoseconds now, const ServiceLoad& load) {
  if (lines_.empty() || !enter(lines_.begin()->second.front().request, now, load)) {
    return std::nullopt;
  }
  return take_first(lines_.begin());
}

std::optional<Request> Gate::give_up(Nanoseconds now) {
  for (auto line = lines_.begin(); line != lines_.end(); ++line) {
    if (line->second.front().until <= now) return take_first(line);
  }
  return std::nullopt;
}

Nanoseconds Gate::next_event(Nanoseconds now) {
  Nanoseconds next = kLongestService;
  for (const auto& [priority, line] : lines_) next = std::min(next, line.front().until);
  if (bucket_ && !lines_.empty()) {
    const Nanoseconds ready =
        bucket_->ready(lines_.begin()->second.front().request.prompt_tokens, now);
    // A full enough bucket waits for a rule on load, which only events of replicas change.
    if (ready > now) next = std::min(next, ready);
  }
  return next;
}

}  // namespace presil::serving

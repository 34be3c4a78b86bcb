#include "fleet/pod.h"

#include <algorithm>
#include <cmath>

#include "base/draws.h"
#include "serving/cluster/router.h"
#include "serving/engine/replica.h"

namespace presil::fleet {
namespace {

using serving::Outcome;
using serving::Replica;
using serving::ReplicaLoad;
using serving::Request;
using serving::RequestRecord;
using serving::StepRecord;

constexpr double kLongestWindow = 3600;  // s: a window stands for an hour
enum Stream : std::uint64_t { kArrivals, kBodies, kRouter };

double seconds(Nanoseconds t) {
  return to_seconds(t).count();
}

/// A stretch of simulated time with one rate. Counted from `counted` to `end`.
struct Window {
  Nanoseconds start, counted, end;
  double rate = 0;             // of the whole pod
  WindowSums* sums = nullptr;  // nullptr: runs for nothing
};

/// Adds up what the replicas do, window by window.
class Counter : public serving::Observer {
 public:
  Counter(std::span<const Window> windows, const serving::Slo& slo)
      : windows_(windows), slo_(slo) {}

  void finished(const RequestRecord& r) override {
    ++ended_;
    if (r.outcome != Outcome::finished) return refused(r);
    WindowSums* sums = counted_at(r.last_token);
    if (sums == nullptr) return;
    const double ttft = seconds(r.first_token - r.arrival);
    const double e2e = seconds(r.last_token - r.arrival);
    serving::RequestLatency latency{.ttft_ns = ttft * 1e9, .tpot_ns = {}, .e2e_ns = e2e * 1e9};
    sums->ttft_s.push_back(static_cast<float>(ttft));
    sums->e2e_s.push_back(static_cast<float>(e2e));
    if (r.output_tokens > 1) {
      const double tpot = (e2e - ttft) / static_cast<double>(r.output_tokens - 1);
      sums->tpot_s.push_back(static_cast<float>(tpot));
      latency.tpot_ns = tpot * 1e9;
    }
    ++sums->finished;
    if (keeps(slo_, latency)) ++sums->kept;
    sums->prompt_tokens += r.prompt_tokens;
    sums->output_tokens += r.output_tokens;
    sums->request_seconds += e2e;
  }

  /// A step works, and draws its energy, from its start until the next may start.
  void stepped(const StepRecord& step) override {
    const Nanoseconds until = step.start + step.cost.interval;
    if (step.cost.interval.count() <= 0) return;
    const double joules_per_s = step.cost.energy_j / seconds(step.cost.interval);
    for (std::size_t w = window_at(step.start); w < windows_.size(); ++w) {
      const Window& window = windows_[w];
      if (window.start >= until) break;
      const Nanoseconds overlap =
          std::min(until, window.end) - std::max(step.start, window.counted);
      if (window.sums == nullptr || overlap.count() <= 0) continue;
      window.sums->joules += joules_per_s * seconds(overlap);
      busy_[w] += seconds(overlap);
    }
  }

  void between_tokens(Nanoseconds, std::int64_t, int) override {}

  std::int64_t ended() const { return ended_; }
  /// Seconds of steps that were counted in window `w`, over all replicas.
  double busy(std::size_t w) const { return busy_[w]; }

 private:
  void refused(const RequestRecord& r) {
    WindowSums* sums = counted_at(r.arrival);
    if (sums != nullptr) ++sums->refused;
  }

  /// The window that `t` lies in; their number after the last.
  std::size_t window_at(Nanoseconds t) const {
    const auto after = std::upper_bound(windows_.begin(), windows_.end(), t,
                                        [](Nanoseconds at, const Window& w) { return at < w.end; });
    return static_cast<std::size_t>(after - windows_.begin());
  }
  WindowSums* counted_at(Nanoseconds t) const {
    const std::size_t w = window_at(t);
    return w < windows_.size() && t >= windows_[w].counted ? windows_[w].sums : nullptr;
  }

  std::span<const Window> windows_;
  const serving::Slo& slo_;
  std::vector<double> busy_ = std::vector<double>(windows_.size(), 0);
  std::int64_t ended_ = 0;
};

/// The windows of a run, back to back, with one in front that runs for nothing.
std::vector<Window> lay_out(const PodRun& run, std::vector<WindowSums>& sums) {
  std::vector<Window> windows;
  Nanoseconds now{0};
  const auto add = [&](double rate, WindowSums* counted) {
    const double pod_rate = rate * static_cast<double>(run.replicas);
    const double length = std::min(kLongestWindow, run.requests_per_window / pod_rate);
    const Nanoseconds end = now + to_nanoseconds(Seconds(length));
    const Nanoseconds from = now + to_nanoseconds(Seconds(length * run.warm_up));
    windows.push_back({now, from, end, pod_rate, counted});
    now = end;
  };
  for (std::size_t w = 0; w < run.rates.size(); ++w) {
    if (run.rates[w] <= 0) continue;
    if (windows.empty()) add(run.rates[w], nullptr);
    add(run.rates[w], &sums[w]);
  }
  return windows;
}

/// The replicas and the router before them.
class Pod {
 public:
  Pod(const PodRun& run, Counter& counter)
      : router_(run.router, mix(run.seed + kRouter)),
        loads_(static_cast<std::size_t>(run.replicas)) {
    for (std::size_t r = 0; r < loads_.size(); ++r) {
      replicas_.emplace_back(static_cast<int>(r), run.replica.engine, *run.replica.costs,
                             run.replica.draft, counter);
      loads_[r] = replicas_[r].load();
    }
    std::vector<serving::Target> targets;
    for (std::size_t r = 0; r < loads_.size(); ++r) {
      targets.push_back({static_cast<int>(r), 1, &loads_[r], &replicas_[r]});
    }
    router_.set_targets(std::move(targets));
  }

  void take(const Request& request) {
    advance(request.arrival);
    const auto chosen =
        static_cast<std::size_t>(replicas_.size() == 1 ? 0 : router_.choose(request));
    replicas_[chosen].submit(request, request.arrival);
    replicas_[chosen].advance(request.arrival);
    loads_[chosen] = replicas_[chosen].load();
  }

  /// Ends what ends by `now`, and each step that is under way then.
  void finish(Nanoseconds now) {
    advance(now);
    for (Replica& replica : replicas_) {
      const Nanoseconds last = replica.next_event();
      if (last < kLongestService) replica.advance(last);
    }
  }

  std::int64_t left() const {
    std::int64_t sum = 0;
    for (const Replica& replica : replicas_) sum += replica.load().waiting + replica.load().running;
    return sum;
  }

 private:
  void advance(Nanoseconds now) {
    for (std::size_t r = 0; r < replicas_.size(); ++r) {
      if (replicas_[r].next_event() > now) continue;
      replicas_[r].advance(now);
      loads_[r] = replicas_[r].load();
    }
  }

  serving::Router router_;
  std::vector<ReplicaLoad> loads_;
  std::vector<Replica> replicas_;
};

}  // namespace

PodResult simulate_pod(const PodRun& run) {
  PodResult result;
  result.windows.resize(run.rates.size());
  const std::vector<Window> windows = lay_out(run, result.windows);
  if (windows.empty()) return result;

  Counter counter(windows, *run.slo);
  Pod pod(run, counter);
  Draws arrivals(run.seed, kArrivals, 0);
  Draws bodies(run.seed, kBodies, 0);
  for (const Window& window : windows) {
    double t = 0;  // s from the window's start; a Poisson process may start anew anywhere
    while (true) {
      t += arrivals.exponential() / window.rate;
      const Nanoseconds arrival = window.start + to_nanoseconds(Seconds(t));
      if (arrival >= window.end) break;
      Request request = run.bodies[bodies.below(run.bodies.size())];
      request.id = result.arrived++;
      request.arrival = arrival;
      if (window.sums != nullptr && arrival >= window.counted) ++window.sums->arrived;
      pod.take(request);
    }
  }
  pod.finish(windows.back().end);

  for (std::size_t w = 0; w < windows.size(); ++w) {
    if (windows[w].sums == nullptr) continue;
    WindowSums& sums = *windows[w].sums;
    sums.seconds = seconds(windows[w].end - windows[w].counted);
    const double idle = sums.seconds * static_cast<double>(run.replicas) - counter.busy(w);
    sums.joules += run.replica.idle.count() * std::max(0.0, idle);
  }
  result.ended = counter.ended();
  result.left = pod.left();
  return result;
}

}  // namespace presil::fleet

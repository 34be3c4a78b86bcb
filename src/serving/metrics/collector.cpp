#include "serving/metrics/collector.h"

#include <algorithm>
#include <limits>

#include "base/error.h"

namespace presil::serving {
namespace {

constexpr int kShownOfAPool = 2;  // replicas of each pool in the Gantt chart

double ratio(double part, double whole) {
  return whole > 0 ? part / whole : 0;
}

double seconds(__int128_t ns) {
  return static_cast<double>(ns) * 1e-9;
}

void add(Counts& to, const Counts& from) {
  to.requests += from.requests;
  to.warm_up += from.warm_up;
  to.completed += from.completed;
  to.too_long += from.too_long;
  to.turned_away += from.turned_away;
  to.kept += from.kept;
  to.prompt_tokens += from.prompt_tokens;
  to.cached_tokens += from.cached_tokens;
  to.output_tokens += from.output_tokens;
  to.preemptions += from.preemptions;
}

LatencySummaries summaries(Latencies& latencies) {
  return {.ttft_s = latencies.summary(Latency::ttft),
          .tpot_s = latencies.summary(Latency::tpot),
          .itl_s = latencies.summary(Latency::itl),
          .e2e_s = latencies.summary(Latency::e2e)};
}

}  // namespace

Collector::Collector(std::vector<PoolFacts> pools, std::vector<ClassFacts> classes, Slo slo)
    : facts_(std::move(pools)), class_facts_(std::move(classes)), slo_(std::move(slo)) {
  for (std::size_t i = 0; i < facts_.size(); ++i) {
    powered_.push_back(0);
    pools_.push_back(nothing_yet(i));
    for (int k = 0; k < facts_[i].replicas; ++k) {
      replicas_.push_back({.pool = static_cast<int>(i), .shown = k < kShownOfAPool});
    }
  }
  for (ClassFacts& one : class_facts_) {
    if (one.slo.limits.empty()) one.slo = slo_;
  }
  classes_.resize(std::max<std::size_t>(1, class_facts_.size()));
}

Collector::PoolSums Collector::nothing_yet(std::size_t pool) const {
  PoolSums sums;
  sums.so_far.name = facts_[pool].name;
  for (std::size_t i = 0; i < pool; ++i) sums.so_far.first_replica += facts_[i].replicas;
  sums.so_far.replica_count = facts_[pool].replicas;
  sums.so_far.chips_per_replica = facts_[pool].chips_per_replica;
  sums.so_far.most_replicas = powered_[pool];
  return sums;
}

void Collector::end_warm_up(Nanoseconds now) {
  level(now, level_, in_transfer_);
  for (std::size_t i = 0; i < pools_.size(); ++i) pools_[i] = nothing_yet(i);
  for (ClassState& one : classes_) {
    const std::int64_t ended = one.counts.requests;
    one = {};
    one.counts.warm_up = ended;
  }
  sums_ = {};
  transfers_ = {};
  transfer_wait_ns_ = transfer_ns_ = 0;
  most_waiting_ = most_running_ = 0;
  most_kv_use_ = 0;
  begin_ = now;
  level(now, level_, in_transfer_);
}

void Collector::finished(const RequestRecord& record) {
  const auto number = static_cast<std::size_t>(record.slo_class);
  CHECK(number < classes_.size(), "a request is of a class that the scenario has");
  ClassState& of_class = classes_[number];
  Counts& counts = of_class.counts;
  if (record.arrival < begin_) {
    ++counts.warm_up;
    return;
  }
  ++counts.requests;
  switch (record.outcome) {
    case Outcome::too_long:
      ++counts.too_long;
      return;
    case Outcome::turned_away:
      ++counts.turned_away;
      return;
    case Outcome::finished:
      break;
  }
  ++counts.completed;
  counts.prompt_tokens += record.prompt_tokens;
  counts.cached_tokens += record.cached_tokens;
  counts.output_tokens += record.output_tokens;
  counts.preemptions += record.preemptions;
  const RequestLatency latency = latency_of(record);
  of_class.latencies.add(latency);
  if (keeps(class_facts_.empty() ? slo_ : class_facts_[number].slo, latency)) ++counts.kept;
}

void Collector::between_tokens(Nanoseconds since, std::int64_t count, int slo_class) {
  const auto number = static_cast<std::size_t>(slo_class);
  CHECK(number < classes_.size(), "a token is of a class that the scenario has");
  classes_[number].latencies.add_gap(since, count);
}

void Collector::idle_until(ReplicaState& replica, Nanoseconds now) {
  if (now <= replica.idle_since) return;
  const auto pool = static_cast<std::size_t>(replica.pool);
  const double idle_s = to_seconds(now - replica.idle_since).count();
  series_.draw(replica.idle_since, now, facts_[pool].idle_watts * idle_s);
  const Nanoseconds since = std::max(replica.idle_since, begin_);
  if (since < now) pools_[pool].idle_ns += (now - since).count();
  replica.idle_since = now;
}

void Collector::stepped(const StepRecord& step) {
  ReplicaState& replica = replicas_[static_cast<std::size_t>(step.replica)];
  idle_until(replica, step.start);
  const Nanoseconds free_again = step.start + step.cost.interval;
  series_.draw(step.start, free_again, step.cost.energy_j);
  replica.idle_since = free_again;

  PoolSums& pool = pools_[static_cast<std::size_t>(replica.pool)];
  pool.busy_ns += step.cost.interval.count();
  ++pool.so_far.steps;
  pool.so_far.step_tokens += step.features.tokens();
  pool.so_far.step_energy_j += step.cost.energy_j;
  pool.so_far.flops += step.cost.flops;
  if (replica.shown) gantt_.add(step);
}

void Collector::power_on(int replica, Nanoseconds now) {
  ReplicaState& state = replicas_[static_cast<std::size_t>(replica)];
  CHECK(!state.powered, "a replica with power is not switched on");
  state.powered = true;
  state.idle_since = now;
  const auto pool = static_cast<std::size_t>(state.pool);
  int& most = pools_[pool].so_far.most_replicas;
  most = std::max(most, ++powered_[pool]);
}

void Collector::power_off(int replica, Nanoseconds now) {
  ReplicaState& state = replicas_[static_cast<std::size_t>(replica)];
  CHECK(state.powered, "a replica without power is not switched off");
  idle_until(state, now);
  state.powered = false;
  --powered_[static_cast<std::size_t>(state.pool)];
}

void Collector::level(Nanoseconds now, const Level& level, std::int64_t in_transfer) {
  const std::int64_t held = (now - level_since_).count();
  if (held > 0) {
    sums_.waiting += static_cast<__int128_t>(level_.waiting) * held;
    sums_.running += static_cast<__int128_t>(level_.running) * held;
    sums_.in_transfer += static_cast<__int128_t>(in_transfer_) * held;
    sums_.used_blocks += static_cast<double>(level_.used_blocks) * static_cast<double>(held);
    sums_.blocks += static_cast<double>(level_.blocks) * static_cast<double>(held);
    series_.hold(level_since_, now, level_);
    level_since_ = now;
  }
  level_ = level;
  in_transfer_ = in_transfer;
  most_waiting_ = std::max(most_waiting_, level.waiting);
  most_running_ = std::max(most_running_, level.running);
  most_kv_use_ = std::max(most_kv_use_, ratio(static_cast<double>(level.used_blocks),
                                              static_cast<double>(level.blocks)));
}

void Collector::transferred(double bytes, Nanoseconds waited, Nanoseconds took) {
  ++transfers_.count;
  transfers_.bytes += bytes;
  transfer_wait_ns_ += static_cast<double>(waited.count());
  transfer_ns_ += static_cast<double>(took.count());
}

void Collector::sum_up_pools(ServiceResult& result) const {
  double flops = 0, powered_flops = 0, busy_flops = 0;
  for (std::size_t i = 0; i < pools_.size(); ++i) {
    PoolResult pool = pools_[i].so_far;
    pool.busy_s = seconds(pools_[i].busy_ns);
    pool.idle_s = seconds(pools_[i].idle_ns);
    pool.idle_energy_j = facts_[i].idle_watts * pool.idle_s;
    const double powered_s = pool.busy_s + pool.idle_s;
    pool.mean_replicas = ratio(powered_s, result.duration_s);
    pool.mfu = ratio(pool.flops, facts_[i].peak_flops * powered_s);
    pool.mfu_busy = ratio(pool.flops, facts_[i].peak_flops * pool.busy_s);
    result.energy_j += pool.step_energy_j + pool.idle_energy_j;
    if (facts_[i].peak_flops > 0) flops += pool.flops;
    powered_flops += facts_[i].peak_flops * powered_s;
    busy_flops += facts_[i].peak_flops * pool.busy_s;
    result.pools.push_back(std::move(pool));
  }
  result.mfu = ratio(flops, powered_flops);
  result.mfu_busy = ratio(flops, busy_flops);
  result.power_w = ratio(result.energy_j, result.duration_s);
}

void Collector::sum_up_levels(ServiceResult& result) const {
  const double duration_ns = result.duration_s * 1e9;
  result.queue = {ratio(static_cast<double>(sums_.waiting), duration_ns),
                  static_cast<double>(most_waiting_)};
  result.running = {ratio(static_cast<double>(sums_.running), duration_ns),
                    static_cast<double>(most_running_)};
  result.kv_use = {ratio(sums_.used_blocks, sums_.blocks), most_kv_use_};
  result.request_time = {.waiting_ns = sums_.waiting,
                         .running_ns = sums_.running,
                         .in_transfer_ns = sums_.in_transfer};
  result.transfers = transfers_;
  const auto transfers = static_cast<double>(transfers_.count);
  result.transfers.mean_wait_s = ratio(transfer_wait_ns_ * 1e-9, transfers);
  result.transfers.mean_s = ratio(transfer_ns_ * 1e-9, transfers);
}

void Collector::sum_up_classes(ServiceResult& result) {
  Latencies all;
  for (std::size_t i = 0; i < classes_.size(); ++i) {
    ClassState& of_class = classes_[i];
    add(result.counts, of_class.counts);
    if (!class_facts_.empty()) {
      result.classes.push_back({.name = class_facts_[i].name,
                                .counts = of_class.counts,
                                .latency = summaries(of_class.latencies),
                                .slo = of_class.latencies.check(class_facts_[i].slo)});
    }
    if (i == 0) {
      all = std::move(of_class.latencies);
    } else {
      all.add(of_class.latencies);
    }
  }
  result.latency = summaries(all);
  result.slo = all.check(slo_);
}

ServiceResult Collector::result(Nanoseconds end) {
  level(end, Level{}, 0);
  for (std::size_t i = 0; i < replicas_.size(); ++i) {
    if (replicas_[i].powered) power_off(static_cast<int>(i), end);
  }
  ServiceResult result;
  result.duration_s = to_seconds(end - begin_).count();
  sum_up_pools(result);
  sum_up_levels(result);
  sum_up_classes(result);

  const Counts& counts = result.counts;
  const auto a_second = [&](std::int64_t count) {
    return ratio(static_cast<double>(count), result.duration_s);
  };
  result.request_throughput = a_second(counts.completed);
  result.output_throughput = a_second(counts.output_tokens);
  result.total_token_throughput = a_second(counts.prompt_tokens + counts.output_tokens);
  result.request_goodput = a_second(counts.kept);
  result.prefix_hit_rate =
      ratio(static_cast<double>(counts.cached_tokens), static_cast<double>(counts.prompt_tokens));
  result.energy_j_per_token = counts.output_tokens > 0
                                  ? result.energy_j / static_cast<double>(counts.output_tokens)
                                  : std::numeric_limits<double>::quiet_NaN();
  result.series = series_.points(end);
  result.gantt = gantt_.steps();
  return result;
}

}  // namespace presil::serving

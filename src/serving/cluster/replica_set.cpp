#include "serving/cluster/replica_set.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace presil::serving {
namespace {

int slots_of_all(const Cluster& cluster) {
  int count = 0;
  for (const Pool& pool : cluster.pools) count += slots_of(cluster, pool);
  return count;
}

}  // namespace

int slots_of(const Cluster& cluster, const Pool& pool) {
  const auto& scale = cluster.spec.autoscale;
  return scale ? std::max(pool.replicas, scale->max_replicas) : pool.replicas;
}

ReplicaSet::ReplicaSet(const Cluster& cluster, Observer& observer, Collector& metrics)
    : cluster_(cluster),
      observer_(observer),
      metrics_(metrics),
      clock_(slots_of_all(cluster)),
      entrance_(cluster.spec.router, cluster.seed),
      decoders_(cluster.spec.router, cluster.seed) {
  for (std::size_t i = 0; i < cluster.pools.size(); ++i) {
    PoolState pool;
    pool.first = count();
    pool.count = slots_of(cluster, cluster.pools[i]);
    pools_.push_back(pool);
    for (int k = 0; k < pool.count; ++k) slots_.emplace_back().pool = static_cast<int>(i);
  }
  for (std::size_t i = 0; i < cluster.pools.size(); ++i) {
    for (int k = 0; k < cluster.pools[i].replicas; ++k) {
      power_on(pools_[i].first + k, Phase::awake, Nanoseconds(0));
    }
  }
  choose_targets();
}

const Pool& ReplicaSet::pool_of(int replica) const {
  const int pool = slots_[static_cast<std::size_t>(replica)].pool;
  return cluster_.pools[static_cast<std::size_t>(pool)];
}

// ---- Work

void ReplicaSet::submit(int replica, const Request& request, Nanoseconds now) {
  slot(replica).engine->submit(request, now);
  clock_.set(replica, slot(replica).engine->next_event());
  refresh(replica, now);
}

void ReplicaSet::expect(int replica) {
  ++slot(replica).expected;
  refresh_seen(slot(replica));
}

void ReplicaSet::submit_prefilled(int replica, const Request& request, const RequestRecord& so_far,
                                  Nanoseconds now) {
  --slot(replica).expected;
  slot(replica).engine->submit_prefilled(request, so_far, now);
  clock_.set(replica, slot(replica).engine->next_event());
  refresh(replica, now);
}

void ReplicaSet::step(int replica, Nanoseconds now) {
  Replica& engine = *slot(replica).engine;
  engine.advance(now);
  clock_.set(replica, engine.next_event());
  refresh(replica, now);
  power_off_if_drained(replica, now);
}

void ReplicaSet::worked(const StepRecord& step) {
  // A hundred steps or so: long enough to even out, short enough to follow the load.
  constexpr double kFade = 0.99;
  const Slot& stepped = slot(step.replica);
  const auto interval = static_cast<double>(step.cost.interval.count());
  state_of(stepped).busy_ns += interval;
  if (pool_of(step.replica).engine.role == Role::decode) return;
  recent_tokens_ = recent_tokens_ * kFade + static_cast<double>(step.features.tokens());
  recent_ns_ = recent_ns_ * kFade + interval;
}

ServiceLoad ReplicaSet::entrance_load() const {
  ServiceLoad load;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if (slots_[i].phase != Phase::awake) continue;
    if (pool_of(static_cast<int>(i)).engine.role == Role::decode) continue;
    ++load.replicas;
    load.waiting += slots_[i].load.waiting;
    load.outstanding_tokens += slots_[i].load.outstanding_tokens;
  }
  if (recent_ns_ > 0) load.tokens_per_s = recent_tokens_ / (recent_ns_ * 1e-9) * load.replicas;
  return load;
}

// ---- What they hold

double ReplicaSet::measure(const ReplicaLoad& load) const {
  if (!cluster_.spec.autoscale) return 0;
  switch (cluster_.spec.autoscale->by) {
    case ScaleBy::outstanding_tokens:
      return static_cast<double>(load.outstanding_tokens);
    case ScaleBy::requests:
      return static_cast<double>(load.waiting + load.running);
    case ScaleBy::busy:
      return 0;  // summed up from steps
  }
  return 0;
}

void ReplicaSet::sum_up_to(PoolState& pool, Nanoseconds now) {
  const auto time = static_cast<double>((now - pool.since).count());
  pool.measured_ns += pool.measured * time;
  pool.awake_ns += pool.awake * time;
  pool.since = now;
}

void ReplicaSet::account(const Slot& slot, int sign) {
  level_.waiting += sign * slot.load.waiting;
  level_.running += sign * slot.load.running;
  level_.used_blocks += sign * slot.load.used_blocks;
  if (slot.phase == Phase::awake) state_of(slot).measured += sign * measure(slot.load);
}

void ReplicaSet::refresh(int replica, Nanoseconds now) {
  Slot& here = slot(replica);
  if (cluster_.spec.autoscale) sum_up_to(state_of(here), now);
  account(here, -1);
  here.load = here.engine->load();
  account(here, +1);
  refresh_seen(here);
}

void ReplicaSet::refresh_seen(Slot& slot) {
  slot.seen = slot.load;
  slot.seen.waiting += slot.expected;
  slot.seen.outstanding_tokens += slot.expected;
}

// ---- On and off

void ReplicaSet::set_phase(int replica, Phase phase, Nanoseconds now) {
  Slot& here = slot(replica);
  PoolState& pool = state_of(here);
  sum_up_to(pool, now);
  account(here, -1);
  pool.awake += (phase == Phase::awake) - (here.phase == Phase::awake);
  pool.starting += (phase == Phase::starting) - (here.phase == Phase::starting);
  here.phase = phase;
  account(here, +1);
}

void ReplicaSet::power_on(int replica, Phase phase, Nanoseconds now) {
  metrics_.power_on(replica, now);
  ++level_.replicas;
  if (phase == Phase::awake) make_engine(replica);
  set_phase(replica, phase, now);
}

void ReplicaSet::make_engine(int replica) {
  const Pool& pool = pool_of(replica);
  slot(replica).engine =
      std::make_unique<Replica>(replica, pool.engine, *pool.costs, pool.draft, observer_);
  level_.blocks += pool.engine.num_blocks;
}

Nanoseconds ReplicaSet::next_ready() const {
  return starting_.empty() ? kLongestService : starting_.begin()->first;
}

void ReplicaSet::wake_next(Nanoseconds now) {
  const int replica = starting_.begin()->second;
  starting_.erase(starting_.begin());
  make_engine(replica);
  set_phase(replica, Phase::awake, now);
  choose_targets();
}

void ReplicaSet::power_off_if_drained(int replica, Nanoseconds now) {
  Slot& here = slot(replica);
  const bool drained = here.phase == Phase::draining && here.expected == 0 &&
                       here.load.waiting == 0 && here.load.running == 0 &&
                       here.engine->next_event() == kLongestService;
  if (!drained) return;
  account(here, -1);
  here.load = here.seen = {};
  set_phase(replica, Phase::off, now);
  here.engine.reset();
  clock_.set(replica, kLongestService);
  level_.blocks -= pool_of(replica).engine.num_blocks;
  --level_.replicas;
  metrics_.power_off(replica, now);
}

// ---- How many

// The rule of Kubernetes' horizontal pod autoscaler: in proportion to what is measured, and no
// change while it is near the target.
int ReplicaSet::wanted(const AutoscaleSpec& spec, PoolState& pool) const {
  const int now = pool.awake + pool.starting;
  if (pool.awake_ns <= 0) return now;
  const double sum =
      spec.by == ScaleBy::busy ? std::min(pool.busy_ns, pool.awake_ns) : pool.measured_ns;
  const double ratio = sum / pool.awake_ns / spec.target;
  const double target = std::ceil(pool.awake * ratio);
  const double bounded = std::clamp(target, static_cast<double>(spec.min_replicas),
                                    static_cast<double>(spec.max_replicas));
  if (std::abs(ratio - 1) <= spec.tolerance) {
    return std::clamp(now, spec.min_replicas, spec.max_replicas);
  }
  return static_cast<int>(bounded);
}

void ReplicaSet::scale(const AutoscaleSpec& spec, Nanoseconds now) {
  bool changed = false;
  for (PoolState& pool : pools_) {
    sum_up_to(pool, now);
    const int change = wanted(spec, pool) - pool.awake - pool.starting;
    pool.measured_ns = pool.awake_ns = pool.busy_ns = 0;
    if (change == 0) continue;
    const bool cooling = pool.changed && now - *pool.changed < spec.cool_down;
    if (change < 0 && cooling) continue;
    if (change > 0) {
      grow(pool, change, spec, now);
    } else {
      shrink(pool, -change, now);
    }
    pool.changed = now;
    changed = true;
  }
  if (changed) choose_targets();
}

void ReplicaSet::grow(PoolState& pool, int more, const AutoscaleSpec& spec, Nanoseconds now) {
  for (int r = pool.first; r < pool.first + pool.count && more > 0; ++r) {
    if (slot(r).phase != Phase::draining) continue;
    set_phase(r, Phase::awake, now);
    --more;
  }
  for (int r = pool.first; r < pool.first + pool.count && more > 0; ++r) {
    if (slot(r).phase != Phase::off) continue;
    power_on(r, Phase::starting, now);
    starting_.emplace(now + spec.start_up, r);
    --more;
  }
}

void ReplicaSet::shrink(PoolState& pool, int fewer, Nanoseconds now) {
  for (int r = pool.first + pool.count - 1; r >= pool.first && fewer > 0 && pool.awake > 1; --r) {
    if (slot(r).phase != Phase::awake) continue;
    set_phase(r, Phase::draining, now);
    power_off_if_drained(r, now);
    --fewer;
  }
}

void ReplicaSet::choose_targets() {
  std::vector<Target> entrance, decoders;
  for (int r = 0; r < count(); ++r) {
    const Slot& here = slot(r);
    if (here.phase != Phase::awake) continue;
    const Pool& pool = pool_of(r);
    auto& targets = pool.engine.role == Role::decode ? decoders : entrance;
    targets.push_back({r, pool.weight, &here.seen, here.engine.get()});
  }
  entrance_.set_targets(std::move(entrance));
  decoders_.set_targets(std::move(decoders));
}

}  // namespace presil::serving

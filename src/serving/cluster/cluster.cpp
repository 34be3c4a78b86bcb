#include "serving/cluster/cluster.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/progress.h"
#include "base/quantity_text.h"
#include "serving/cluster/replica_set.h"
#include "serving/cluster/transfers.h"

namespace presil::serving {
namespace {

// Each keeps its KV cache's bookkeeping, about a megabyte. A fleet simulates a sample.
constexpr std::int64_t kMostReplicas = 10'000;
constexpr std::int64_t kBetweenLooks = 1024;  // events between two looks for Ctrl-C

void require_that_it_works(const Cluster& cluster) {
  const auto refuse_unless = [](bool holds, const std::string& message) {
    if (!holds) throw InputError(message);
  };
  std::int64_t replicas = 0;
  bool entrance = false, prefill = false, decode = false;
  for (const Pool& pool : cluster.pools) {
    refuse_unless(pool.replicas > 0,
                  fmt::format("pool {}: expected at least one replica", pool.name));
    refuse_unless(pool.weight > 0, fmt::format("pool {}: expected a weight above 0", pool.name));
    CHECK(pool.costs != nullptr, "a pool knows what its steps cost");
    replicas += slots_of(cluster, pool);
    entrance |= pool.engine.role != Role::decode;
    prefill |= pool.engine.role == Role::prefill;
    decode |= pool.engine.role == Role::decode;
    refuse_unless(pool.engine.role != Role::prefill || pool.kv_bytes_per_token > 0,
                  fmt::format("pool {}: expected the size of a token's KV cache", pool.name));
  }
  refuse_unless(replicas <= kMostReplicas,
                fmt::format("expected at most {} replicas in one service, found {}", kMostReplicas,
                            replicas));
  refuse_unless(entrance, "expected a pool that reads prompts");
  refuse_unless(prefill == decode, prefill
                                       ? "a pool that only reads prompts needs one that decodes"
                                       : "a pool that only decodes needs one that reads prompts");
  refuse_unless(!prefill || cluster.spec.transfer,
                "pools that only read prompts need `transfer`, the link to those that decode");
}

Collector make_collector(const Cluster& cluster) {
  std::vector<PoolFacts> pools;
  for (const Pool& pool : cluster.pools) {
    pools.push_back({.name = pool.name,
                     .replicas = slots_of(cluster, pool),
                     .chips_per_replica = pool.chips_per_replica,
                     .idle_watts = pool.idle_watts,
                     .peak_flops = pool.peak_flops});
  }
  std::vector<ClassFacts> classes;
  for (const ServiceClass& one : cluster.classes) classes.push_back({one.name, one.slo});
  return Collector(std::move(pools), std::move(classes), cluster.slo);
}

class Simulation : public Observer {
 public:
  Simulation(const Cluster& cluster, RequestSource& load, Observer* listener)
      : cluster_(cluster),
        load_(load),
        listener_(listener),
        metrics_(make_collector(cluster)),
        replicas_(cluster, *this, metrics_),
        transfers_(cluster.spec.transfer.value_or(TransferSpec{}), replicas_.count()) {
    if (cluster.spec.admission) gate_.emplace(*cluster.spec.admission);
    if (cluster.spec.autoscale) next_look_ = cluster.spec.autoscale->interval;
  }

  ServiceResult run();

  // What replicas tell, during submit() and step().
  void finished(const RequestRecord& record) override;
  void stepped(const StepRecord& step) override;
  bool wants_sequences() override { return listener_ != nullptr && listener_->wants_sequences(); }
  void between_tokens(Nanoseconds since, std::int64_t count, int slo_class) override;
  void prefilled(const Request& request, const RequestRecord& so_far) override;

 private:
  enum class Kind { ready, look, transfer, gate, arrival, step };
  struct Event {
    Nanoseconds time;
    Kind kind;
  };
  /// Nothing when no request is left anywhere and none will come.
  std::optional<Event> next_event();
  void take(Kind kind);
  void arrive();
  void look();
  void open_gate();
  void deliver();
  void step();
  void place(const Request& request);
  void turn_away(const Request& request);
  int priority_of(const Request& request) const;

  const Cluster& cluster_;
  RequestSource& load_;
  Observer* listener_;
  Collector metrics_;
  ReplicaSet replicas_;
  Transfers transfers_;
  std::optional<Gate> gate_;
  Nanoseconds now_{0};
  Nanoseconds next_look_ = kLongestService;
  int stepping_ = 0;  // the replica whose step is being ended
  std::int64_t arrived_ = 0, ended_ = 0;
};

std::optional<Simulation::Event> Simulation::next_event() {
  // In order of kind: an earlier one goes first at the same time.
  Event work{transfers_.next_arrival(), Kind::transfer};
  const auto consider = [&](Nanoseconds time, Kind kind) {
    if (time < work.time) work = {time, kind};
  };
  if (gate_ && gate_->held() > 0) consider(gate_->next_event(now_), Kind::gate);
  consider(load_.next_arrival(), Kind::arrival);
  consider(replicas_.next_step(), Kind::step);
  if (work.time == kLongestService) return std::nullopt;

  // Replicas that start and the autoscaler do not keep a run going.
  if (next_look_ <= work.time) work = {next_look_, Kind::look};
  if (replicas_.next_ready() <= work.time) work = {replicas_.next_ready(), Kind::ready};
  return work;
}

ServiceResult Simulation::run() {
  metrics_.level(now_, replicas_.level(), 0);
  bool warming_up = cluster_.warm_up > Nanoseconds(0);
  Progress progress("requests served");
  std::int64_t shown = 0;
  for (std::int64_t events = 0; const auto event = next_event(); ++events) {
    if (events % kBetweenLooks == 0) {
      check_interrupt();
      progress.advance(ended_ - shown);
      shown = ended_;
    }
    CHECK(event->time >= now_, "time does not go backwards");
    if (warming_up && event->time >= cluster_.warm_up) {
      metrics_.end_warm_up(cluster_.warm_up);
      warming_up = false;
    }
    now_ = event->time;
    take(event->kind);
    Level level = replicas_.level();
    if (gate_) level.waiting += gate_->held();
    metrics_.level(now_, level, transfers_.under_way());
  }
  CHECK(arrived_ == ended_, "every request ends");
  if (warming_up) {
    throw InputError(fmt::format("the warm-up of {} is longer than the run, which ends after {}",
                                 to_string(to_seconds(cluster_.warm_up)),
                                 to_string(to_seconds(now_))));
  }
  return metrics_.result(now_);
}

void Simulation::take(Kind kind) {
  switch (kind) {
    case Kind::ready:
      replicas_.wake_next(now_);
      if (gate_) open_gate();
      return;
    case Kind::look:
      return look();
    case Kind::transfer:
      return deliver();
    case Kind::gate:
      return open_gate();
    case Kind::arrival:
      return arrive();
    case Kind::step:
      return step();
  }
}

void Simulation::arrive() {
  std::optional<Request> request = load_.next();
  CHECK(request.has_value(), "a load that names its next arrival has one");
  CHECK(request->arrival == now_, "a request arrives when its load said");
  ++arrived_;
  request->slo_class = class_of(cluster_.classes, *request, cluster_.seed);
  if (!gate_) return place(*request);
  const int priority = priority_of(*request);
  if (gate_->admit(*request, priority, now_, replicas_.entrance_load())) return place(*request);
  if (!gate_->hold(*request, priority, now_)) turn_away(*request);
}

int Simulation::priority_of(const Request& request) const {
  if (cluster_.classes.empty()) return 0;
  return cluster_.classes[static_cast<std::size_t>(request.slo_class)].priority;
}

void Simulation::place(const Request& request) {
  replicas_.submit(replicas_.choose(request), request, now_);
}

void Simulation::open_gate() {
  while (const auto request = gate_->give_up(now_)) turn_away(*request);
  while (gate_->held() > 0) {
    const auto request = gate_->let_in(now_, replicas_.entrance_load());
    if (!request) break;
    place(*request);
  }
}

void Simulation::turn_away(const Request& request) {
  RequestRecord record;
  record.id = request.id;
  record.outcome = Outcome::turned_away;
  record.slo_class = request.slo_class;
  record.prompt_tokens = request.prompt_tokens;
  record.arrival = request.arrival;
  record.first_scheduled = record.first_token = record.last_token = now_;
  finished(record);
}

void Simulation::look() {
  const AutoscaleSpec& spec = *cluster_.spec.autoscale;
  replicas_.scale(spec, now_);
  next_look_ = now_ + spec.interval;
}

void Simulation::step() {
  stepping_ = replicas_.next_to_step();
  replicas_.step(stepping_, now_);
  if (gate_ && gate_->held() > 0) open_gate();
}

void Simulation::deliver() {
  const Transfer transfer = transfers_.take();
  replicas_.submit_prefilled(transfer.to, transfer.request, transfer.so_far, now_);
}

void Simulation::finished(const RequestRecord& record) {
  ++ended_;
  metrics_.finished(record);
  Request request;
  request.id = record.id;
  request.arrival = record.arrival;
  request.prompt_tokens = record.prompt_tokens;
  request.output_tokens = record.output_tokens;
  request.slo_class = record.slo_class;
  load_.ended(request, now_);
  if (listener_ != nullptr) listener_->finished(record);
}

void Simulation::stepped(const StepRecord& step) {
  metrics_.stepped(step);
  replicas_.worked(step);
  if (listener_ != nullptr) listener_->stepped(step);
}

void Simulation::between_tokens(Nanoseconds since, std::int64_t count, int slo_class) {
  metrics_.between_tokens(since, count, slo_class);
  if (listener_ != nullptr) listener_->between_tokens(since, count, slo_class);
}

void Simulation::prefilled(const Request& request, const RequestRecord& so_far) {
  // As behind vLLM's proxy for disaggregated prefill: the token of the prefill replica is dropped,
  // the decode replica computes the prompt's last token again and its token is the first one seen.
  RequestRecord handed_over = so_far;
  handed_over.output_tokens = 0;
  handed_over.first_token = handed_over.last_token = Nanoseconds(0);
  const double bytes =
      static_cast<double>(request.prompt_tokens) * replicas_.pool_of(stepping_).kv_bytes_per_token;
  const int to = replicas_.choose_decoder(request);
  replicas_.expect(to);
  const Transfers::Timing timing =
      transfers_.send(request, handed_over, bytes, stepping_, to, now_);
  metrics_.transferred(bytes, timing.waited, timing.arrives - now_);
  if (listener_ != nullptr) listener_->prefilled(request, so_far);
}

}  // namespace

ServiceResult simulate(const Cluster& cluster, RequestSource& load, Observer* listener) {
  require_that_it_works(cluster);
  return Simulation(cluster, load, listener).run();
}

}  // namespace presil::serving

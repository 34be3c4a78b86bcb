#include <algorithm>

#include "serving/load/load.h"
#include "serving/load/trace.h"

namespace presil::serving {
namespace {

constexpr Choice<Process> kProcesses[] = {{"poisson", Process::poisson},
                                          {"gamma", Process::gamma},
                                          {"constant", Process::constant},
                                          {"diurnal", Process::diurnal},
                                          {"burst", Process::burst}};
// One request in 11 days, and a million a second: what lies between fits in nanoseconds.
constexpr PerSecond kSlowest(1e-6);
constexpr PerSecond kFastest(1e6);
constexpr Seconds kShortestPeriod(1e-3);

std::optional<PerSecond> read_rate(Fields& f) {
  const auto rate = f.maybe<PerSecond>("rate", "requests a second, on average");
  f.require(!rate || (*rate >= kSlowest && *rate <= kFastest), "rate",
            "expected a rate from 1e-6 /s to 1e6 /s");
  return rate;
}

/// Complains about keys that other processes have.
void refuse_others(Fields& f, Process process, Process owner, std::string_view key) {
  f.require(process == owner || !f.has(key), key, "this process has no such thing");
}

Arrivals read_arrivals(Fields& f, std::optional<PerSecond>& rate) {
  Arrivals a;
  a.process = f.choice_or<Process>("process", "how arrivals are spread", kProcesses, a.process);
  rate = read_rate(f);
  a.cv =
      f.number_or("cv", "gamma: standard deviation of the gaps over their mean", a.cv, {0.01, 100});
  a.period = f.quantity_or("period", "diurnal, burst: after which the rate repeats", a.period,
                           Sign::positive);
  a.amplitude =
      f.number_or("amplitude", "diurnal: swing of the rate over its mean", a.amplitude, {0, 1});
  a.peak = f.quantity_or("peak", "diurnal: when in the period the rate is highest",
                         Seconds(a.period.count() / 2));
  a.length = f.quantity_or("length", "burst: how long it is, from the start of each period",
                           Seconds(a.period.count() / 24), Sign::positive);
  a.factor = f.number_or("factor", "burst: its rate over the rate around it", a.factor, {1, 1000});
  refuse_others(f, a.process, Process::gamma, "cv");
  refuse_others(f, a.process, Process::diurnal, "amplitude");
  refuse_others(f, a.process, Process::diurnal, "peak");
  refuse_others(f, a.process, Process::burst, "length");
  refuse_others(f, a.process, Process::burst, "factor");
  f.require(!f.has("period") || a.process == Process::diurnal || a.process == Process::burst,
            "period", "this process has no such thing");
  f.require(a.period >= kShortestPeriod, "period", "expected 1 ms or more");
  f.require(a.peak <= a.period, "peak", "expected a time within the period");
  f.require(a.length < a.period, "length", "expected less than the period");
  return a;
}

LengthSpec read_lognormal(Fields& f) {
  constexpr Range tokens = {1, static_cast<double>(kLongestDraw)};
  const bool by_mean = f.has("mean") || f.has("sigma") || f.describing();
  const bool by_quantiles = f.has("p50") || f.has("p99") || f.describing();
  LengthSpec spec;
  if (by_mean) {
    const double mean = f.number("mean", "tokens", tokens);
    const double sigma = f.number("sigma", "standard deviation of the logarithm", {0, 5});
    spec = lognormal_by_mean(mean, sigma);
  }
  if (by_quantiles) {
    const double p50 = f.number("p50", "tokens: half are below", tokens);
    const double p99 = f.number("p99", "tokens: 99 of 100 are below", tokens);
    f.require(p50 <= p99, "p99", "expected no less than p50");
    spec = lognormal_by_quantiles(p50, std::max(p50, p99));
  }
  if (by_mean == by_quantiles && !f.describing()) {
    f.require(false, by_mean ? "p50" : "mean", "expected mean and sigma, or p50 and p99");
  }
  spec.most = f.integer_or("most", "tokens: longer ones are cut to it", spec.most, tokens);
  return spec;
}

LengthSpec read_length(Fields& f) {
  LengthSpec spec;
  int kinds = 0;
  if (f.has("fixed") || f.describing()) {
    ++kinds;
    spec.fixed =
        f.integer("fixed", "tokens of every request", {1, static_cast<double>(kLongestDraw)});
  }
  if (const auto drawn =
          f.maybe_map("lognormal", "lengths whose logarithm is normal", read_lognormal)) {
    ++kinds;
    spec = *drawn;
  }
  if (f.has("empirical") || f.describing()) {
    ++kinds;
    spec.kind = LengthSpec::Kind::empirical;
    spec.file = f.text("empirical", "a trace to draw lengths from");
  }
  f.require(kinds == 1, "fixed", "expected one of fixed, lognormal, empirical");
  return spec;
}

SharedPrefix read_shared_prefix(Fields& f) {
  SharedPrefix shared;
  shared.tokens = f.integer("tokens", "of the text that prompts begin with",
                            {1, static_cast<double>(kLongestDraw)});
  shared.groups = f.integer_or("groups", "how many such texts there are", shared.groups, {1, 1e9});
  return shared;
}

Sessions read_sessions(Fields& f) {
  Sessions sessions;
  sessions.turns = f.integer("turns", "of a conversation", {1, 1000});
  sessions.think_time = f.quantity_or("think_time", "mean time from an answer to the next question",
                                      sessions.think_time);
  return sessions;
}

ClosedLoop read_closed_loop(Fields& f) {
  ClosedLoop loop;
  loop.users = f.integer("users", "who ask, one request at a time each", {1, 1e6});
  loop.think_time =
      f.quantity_or("think_time", "mean time from an answer to the next request", loop.think_time);
  return loop;
}

RequestLengths read_lengths(Fields& f) {
  return {f.map("prompt", "tokens of prompts", read_length),
          f.map("output", "tokens of outputs", read_length)};
}

}  // namespace

LoadSpec read_load(Fields& f) {
  LoadSpec spec;
  spec.trace = f.text_or("trace", "a trace by name, or its file", "");
  spec.repeat = f.integer_or("repeat", "rounds of the trace", spec.repeat, {1, 1e9});
  spec.lengths = f.maybe_map("lengths", "how long drawn requests are", read_lengths);
  if (const auto shared =
          f.maybe_map("shared_prefix", "how drawn prompts begin alike", read_shared_prefix)) {
    spec.shared_prefix = *shared;
  }
  if (const auto sessions =
          f.maybe_map("sessions", "conversations of several turns", read_sessions)) {
    spec.sessions = *sessions;
  }
  spec.rate = read_rate(f);
  std::optional<PerSecond> process_rate;
  bool process_has_rate = false;
  spec.arrivals = f.maybe_map("arrivals", "when requests come", [&](Fields& inner) {
    process_has_rate = inner.has("rate");
    return read_arrivals(inner, process_rate);
  });
  spec.closed_loop =
      f.maybe_map("closed_loop", "users who wait for their answers", read_closed_loop);
  if (f.has("requests") || f.describing())
    spec.requests = f.integer_or("requests", "at most", 1, {1, 1e12});
  spec.duration = f.maybe<Seconds>("duration", "after which no request comes");
  spec.warm_up =
      f.quantity_or("warm_up", "requests before are served but not measured", spec.warm_up);

  const bool drawn = spec.lengths.has_value();
  f.require(drawn != f.has("trace"), drawn ? "trace" : "lengths",
            "expected either a trace or lengths");
  f.require(drawn || !f.has("shared_prefix"), "shared_prefix", "a trace has its own prompts");
  f.require(drawn || !f.has("sessions"), "sessions", "a trace has its own prompts");
  f.require(!drawn || !f.has("repeat"), "repeat", "there is no trace to repeat");
  f.require(!(spec.rate && process_rate), "rate", "stands in arrivals already");
  if (process_rate) spec.rate = process_rate;
  f.require(!spec.closed_loop || !spec.rate, "rate", "the rate of a closed loop is the service's");
  f.require(!spec.closed_loop || !spec.arrivals, "arrivals",
            "a closed loop has no arrivals of its own");
  f.require(spec.closed_loop || f.has("rate") || process_has_rate || !drawn, "rate",
            "expected a rate such as \"5 /s\"");
  f.require(!drawn || spec.requests || (f.has("duration") && !spec.closed_loop), "requests",
            "expected how many, or drawn requests never end");
  f.require(!spec.duration || spec.warm_up <= *spec.duration, "warm_up",
            "expected less than the duration");
  return spec;
}

}  // namespace presil::serving

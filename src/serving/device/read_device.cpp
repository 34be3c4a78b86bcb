#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "serving/device/spec.h"

namespace presil::serving {
namespace {

constexpr Range kShare{0, 1};
constexpr Range kTokens{1, 1e7};
constexpr Seconds kDay(86400);
constexpr Celsius kColdest(-60), kHottest(100);

constexpr Choice<Place> kPlaces[] = {{"device", Place::device},
                                     {"cloud", Place::cloud},
                                     {"escalate", Place::escalate},
                                     {"split_prefill", Place::split_prefill},
                                     {"speculate", Place::speculate}};

Seconds at_most_a_day(Fields& f, std::string_view name, std::string_view doc, Seconds fallback) {
  const Seconds time = f.quantity_or<Seconds>(name, doc, fallback, Sign::positive);
  f.require(time <= kDay, name, "expected a day at most");
  return time;
}

Bytes at_most_a_megabyte(Fields& f, std::string_view name, std::string_view doc, Bytes fallback) {
  const Bytes size = f.quantity_or<Bytes>(name, doc, fallback);
  f.require(size <= Bytes(1'000'000), name, "expected 1 MB at most");
  return size;
}

ModelOnChip read_model_on_chip(Fields& f) {
  ModelOnChip m;
  m.chip = f.text("chip", "a file in chips/");
  m.model = f.text("model", "a file in models/");
  m.numerics = f.text_or("numerics", "a file in numerics/; else the chip's", "");
  m.set = f.texts_or_none("set", "fields of the chip that differ, each key=value");
  m.tensor_parallel = f.integer_or("tensor_parallel", "chips a replica", 1, {1, 1024});
  return m;
}

ThermalStage read_stage(Fields& f) {
  ThermalStage s;
  s.resistance = f.quantity<KelvinPerWatt>("resistance", "degrees above what it stands on, a watt");
  s.time_constant = f.quantity<Seconds>("time_constant", "to come within 37 percent of them");
  s.limit = f.quantity<Celsius>("limit", "above it the clock is lowered");
  return s;
}

ClockLevel read_level(Fields& f) {
  ClockLevel l;
  l.speed = f.number("speed", "of the full clock, memory included", {0.01, 1});
  l.energy = f.number_or("energy", "of an operation, of that at the full clock", 1, {0.01, 1});
  return l;
}

ThermalSpec read_thermal(Fields& f) {
  ThermalSpec t;
  t.ambient = f.quantity_or<Celsius>("ambient", "of the air", t.ambient, Sign::any);
  f.require(t.ambient >= kColdest && t.ambient <= kHottest, "ambient", "expected -60 C to 100 C");
  t.skin = f.map("skin", "what is touched; stands on the air", read_stage);
  t.die = f.map("die", "stands on the skin", read_stage);
  t.hysteresis = f.quantity_or<Celsius>("hysteresis", "below a limit before the clock is raised",
                                        t.hysteresis);
  t.period = at_most_a_day(f, "period", "between two changes of the clock", t.period);
  auto levels = f.maps_or_none("levels", "clocks, from the fastest down", read_level);
  f.require(levels.empty() || levels.front().speed == 1, "levels", "the first must have speed 1");
  f.require(std::is_sorted(levels.begin(), levels.end(),
                           [](const auto& a, const auto& b) { return a.speed > b.speed; }),
            "levels", "must fall in speed");
  if (!levels.empty()) t.levels = std::move(levels);
  return t;
}

Battery read_battery(Fields& f) {
  Battery b;
  b.capacity = f.quantity<Joules>("capacity", "when full, such as 19 Wh");
  b.charge = f.number_or("charge", "share of it at the start", 1, kShare);
  return b;
}

NetworkStretch read_stretch(Fields& f) {
  NetworkStretch n;
  n.radio = f.text("radio", "a file in radios/, or none");
  n.time = at_most_a_day(f, "for", "how long it stays", kDay);
  return n;
}

CloudSpec read_cloud(Fields& f) {
  CloudSpec c;
  c.service = read_model_on_chip(f);
  c.batch = f.integer_or("batch", "sequences that decode at a time, ours among them", c.batch,
                         {1, 65536});
  c.context = f.integer_or("context", "mean tokens of the others", c.context, kTokens);
  c.prefill_chunk =
      f.integer_or("prefill_chunk", "tokens of a prompt in one step", c.prefill_chunk, kTokens);
  c.wait = f.quantity_or<Nanoseconds>("wait", "mean, before a prompt's first step", c.wait);
  f.require(c.wait <= to_nanoseconds(Seconds(3600)), "wait", "expected an hour at most");
  c.prompt_price = f.maybe<Usd>("prompt_price", "a million tokens read");
  c.output_price = f.maybe<Usd>("output_price", "a million tokens written");
  f.require(f.has("prompt_price") == f.has("output_price"), "prompt_price",
            "prompt_price and output_price are given together");
  return c;
}

SpeechSpec read_speech(Fields& f) {
  SpeechSpec s;
  s.encoder = f.text("encoder", "a file in models/");
  s.duration = at_most_a_day(f, "duration", "of speech", s.duration);
  s.chunk = at_most_a_day(f, "chunk", "heard before it is worked on", s.chunk);
  f.require(s.chunk >= Seconds(0.02), "chunk", "expected 20 ms at least");
  f.require(s.chunk <= s.duration, "chunk", "is longer than the speech");
  s.frames = f.integer_or("frames", "that one run of the encoder reads", s.frames, kTokens);
  s.prompt_tokens_per_s =
      f.number_or("prompt_tokens_per_s", "read by the model, a second of speech",
                  s.prompt_tokens_per_s, {0, 1000});
  s.output_tokens_per_s = f.number_or("output_tokens_per_s", "written, a second of speech",
                                      s.output_tokens_per_s, {0, 1000});
  s.context = f.integer_or("context", "tokens of instruction and of what was said before",
                           s.context, {0, 1e7});
  s.synthesis_time = f.number_or("synthesis_time", "seconds of the chip a second of speech",
                                 s.synthesis_time, {0, 1000});
  s.synthesis_power = f.quantity_or<Watts>("synthesis_power", "meanwhile", s.synthesis_power);
  s.synthesis_latency =
      f.quantity_or<Seconds>("synthesis_latency", "until the first sound", s.synthesis_latency);
  s.audio_per_s = at_most_a_megabyte(f, "audio_per_s", "of a call, each direction", s.audio_per_s);
  s.keeps_radio =
      f.flag_or("keeps_radio", "the call's packets keep the radio connected", s.keeps_radio);
  return s;
}

Rule read_rule(Fields& f) {
  Rule r;
  if (f.has("private") || f.describing()) r.is_private = f.flag_or("private", "is private", true);
  if (f.has("throttled") || f.describing()) {
    r.throttled = f.flag_or("throttled", "the clock is lowered", true);
  }
  if (f.has("battery_below") || f.describing()) {
    r.battery_below = f.number_or("battery_below", "share that is left", 0, kShare);
  }
  if (f.has("prompt_above") || f.describing()) {
    r.prompt_above = f.integer_or("prompt_above", "tokens", 0);
  }
  if (f.has("waiting_above") || f.describing()) {
    r.waiting_above = f.integer_or("waiting_above", "requests on the device, not ended", 0);
  }
  r.networks = f.texts_or_none("network", "one of these radios, or none");
  r.run = f.choice<Place>("run", "where", kPlaces);
  return r;
}

Policy read_policy(Fields& f) {
  Policy p;
  p.name = f.text("name", "as the results call it");
  p.rules = f.maps_or_none("rules", "the first that fits decides; else the device", read_rule);
  return p;
}

Speculating read_speculating(Fields& f) {
  Speculating s;
  s.tokens = f.integer_or("tokens", "drafted a round", s.tokens, {1, 64});
  s.acceptance =
      f.number_or("acceptance", "chance that a drafted token is right", s.acceptance, kShare);
  return s;
}

Escalating read_escalating(Fields& f) {
  Escalating e;
  e.chance = f.number_or("chance", "that the device's answer is not good enough", e.chance, kShare);
  e.after = f.integer_or("after", "tokens held back until it is known", e.after, kTokens);
  return e;
}

MessageSizes read_messages(Fields& f) {
  MessageSizes m;
  m.request = at_most_a_megabyte(f, "request", "all that is not the prompt", m.request);
  m.per_prompt_token = at_most_a_megabyte(f, "per_prompt_token", "as text", m.per_prompt_token);
  m.per_token = at_most_a_megabyte(f, "per_token", "streamed", m.per_token);
  return m;
}

void check_policies(Fields& f, const DeviceSpec& spec) {
  f.require(!spec.policies.empty(), "policies", "expected one at least");
  const auto known = [&](const std::string& name) {
    return std::any_of(spec.networks.begin(), spec.networks.end(),
                       [&](const NetworkStretch& n) { return n.radio == name; });
  };
  std::set<std::string> names;
  for (const Policy& p : spec.policies) {
    f.require(names.insert(p.name).second, "policies", fmt::format("two are called '{}'", p.name));
    for (const Rule& r : p.rules) {
      f.require(r.run == Place::device || spec.cloud.has_value(), "policies",
                fmt::format("{}: runs at \"{}\", and there is no cloud", p.name, to_string(r.run)));
      f.require(!spec.speech || r.run == Place::device || r.run == Place::cloud, "policies",
                fmt::format("{}: speech runs on the device or in the cloud, not \"{}\"", p.name,
                            to_string(r.run)));
      for (const std::string& name : r.networks) {
        f.require(known(name) || name == "none", "policies",
                  fmt::format("{}: the device has no network \"{}\"", p.name, name));
      }
    }
  }
}

}  // namespace

std::string_view to_string(Place place) {
  for (const Choice<Place>& c : kPlaces) {
    if (c.value == place) return c.name;
  }
  return "";
}

bool DeviceSpec::uses(Place place) const {
  return std::any_of(policies.begin(), policies.end(), [&](const Policy& p) {
    return std::any_of(p.rules.begin(), p.rules.end(),
                       [&](const Rule& r) { return r.run == place; });
  });
}

DeviceSpec read_device(Fields& f) {
  DeviceSpec spec;
  spec.local = read_model_on_chip(f);
  spec.memory_taken =
      f.number_or("memory_taken", "share of the DRAM's bandwidth that the rest uses", 0, {0, 0.95});
  spec.max_context = f.integer_or("max_context", "tokens that the device's KV cache holds",
                                  spec.max_context, kTokens);
  spec.prefill_chunk =
      f.integer_or("prefill_chunk", "tokens of a prompt in one step", spec.prefill_chunk, kTokens);
  spec.rest = f.quantity_or<Watts>("rest", "drawn by screen and all else", spec.rest);
  spec.battery = f.maybe_map("battery", "without it: plugged in", read_battery);
  spec.thermal = f.map("thermal", "how it warms up, and what it does then", read_thermal);
  spec.networks = f.maps_or_none("networks", "they come round in this order", read_stretch);
  spec.cloud = f.maybe_map("cloud", "the service behind the networks", read_cloud);
  spec.speech = f.maybe_map("speech", "a call to interpret", read_speech);
  const auto speculation = f.maybe_map("speculation", "drafts on the device", read_speculating);
  spec.speculation = speculation.value_or(spec.speculation);
  const auto escalation = f.maybe_map("escalation", "small model first", read_escalating);
  spec.escalation = escalation.value_or(spec.escalation);
  const auto messages = f.maybe_map("messages", "sizes on the network", read_messages);
  spec.messages = messages.value_or(spec.messages);
  spec.private_share = f.number_or("private_share", "of requests", 0, kShare);
  spec.budget = f.maybe<Nanoseconds>("budget", "for the first token, or sound");
  spec.policies = f.maps_or_none("policies", "each runs the whole load", read_policy);
  check_policies(f, spec);
  return spec;
}

}  // namespace presil::serving

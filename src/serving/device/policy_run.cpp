#include "serving/device/policy_run.h"

#include <algorithm>

#include "base/error.h"
#include "base/interrupt.h"
#include "serving/device/policy.h"

namespace presil::serving {
namespace {

std::vector<RadioLink> links_of(const DeviceParts& parts) {
  std::vector<RadioLink> links;
  for (const Radio& radio : parts.radios) links.emplace_back(radio);
  return links;
}

}  // namespace

PolicyRun::PolicyRun(const DeviceSpec& spec, const DeviceParts& parts, const Policy& policy,
                     std::vector<Job> jobs, std::uint64_t seed)
    : spec_(spec),
      parts_(parts),
      policy_(policy),
      jobs_(std::move(jobs)),
      seed_(seed),
      body_(spec.thermal, spec.battery, spec.rest, parts.local_idle, links_of(parts)),
      chip_(*parts.local, parts.encoder, parts.local_idle, spec.prefill_chunk) {
  if (!spec.cloud) return;
  cloud_.emplace(*spec.cloud, *parts.cloud);
  if (parts.cloud_local != nullptr) cloud_local_.emplace(*spec.cloud, *parts.cloud_local);
}

PolicyResult PolicyRun::go() {
  result_.policy = policy_.name;
  if (!jobs_.empty()) {
    Event first;
    first.at = jobs_.front().arrival;
    events_.push(first);
  }
  while (!events_.empty()) {
    const Event event = events_.top();
    events_.pop();
    check_interrupt();
    if (!body_.advance(event.at)) break;
    handle(event);
  }
  Nanoseconds end = body_.now();
  for (const RadioLink& link : body_.links()) end = std::max(end, link.idle_from());
  body_.advance(end);  // the radios' last tails; nothing when the battery is empty
  summarise(spec_, jobs_, body_, totals_, result_);
  return result_;
}

void PolicyRun::after(Nanoseconds time, Event::Kind kind, const Message& message,
                      Direction direction) {
  events_.push({body_.now() + time, ++made_, kind, message, direction});
}

void PolicyRun::handle(const Event& event) {
  switch (event.kind) {
    case Event::Kind::arrival:
      return arrive(event.message.job);
    case Event::Kind::step_ended:
      return step_ended();
    case Event::Kind::message_ended:
      return message_ended(event.direction, event.message);
    case Event::Kind::at_cloud:
      return at_cloud(event.message);
    case Event::Kind::cloud_writes:
      return cloud_writes(event.message);
    case Event::Kind::at_radio:
      return put_on_air(Direction::down, event.message);
  }
}

void PolicyRun::arrive(std::int64_t id) {
  if (id + 1 < static_cast<std::int64_t>(jobs_.size())) {
    Message next;
    next.job = id + 1;
    after(job(id + 1).arrival - body_.now(), Event::Kind::arrival, next);
  }
  Job& j = job(id);
  j.place = choose(j);
  if (j.state == JobState::open) begin(id);
}

/// Where the job runs, and over which link; its state is too_long where it cannot.
Place PolicyRun::choose(Job& j) {
  const auto network = network_at(spec_.networks, body_.now());
  const DeviceView view{body_.battery_left(), body_.level() > 0, chip_.waiting(),
                        network ? std::string_view(spec_.networks[*network].radio) : "none"};
  const Place wanted = place_of(policy_, j, view);
  const bool has_cloud = network && spec_.cloud;
  if (network) j.link = *network;

  Place place = has_cloud ? wanted : Place::device;
  if (place != Place::cloud && j.context + j.prompt + j.output > spec_.max_context) {
    const bool may_leave = !j.is_private || wanted != Place::device;
    if (has_cloud && may_leave) {
      place = Place::cloud;
    } else {
      j.state = JobState::too_long;
    }
  }
  if (place != wanted) ++result_.counts.elsewhere;
  return place;
}

void PolicyRun::begin(std::int64_t id) {
  Job& j = job(id);
  if (j.is_speech() && spec_.speech->keeps_radio && !body_.links().empty()) {
    RadioLink& link = body_.link(j.link);
    const double bits = 8 * static_cast<double>(spec_.speech->audio_per_s.count());
    const JoulesPerBit both = link.radio().up_energy + link.radio().down_energy;
    link.hold(body_.now() + to_nanoseconds(spec_.speech->chunk), Watts(bits * both.count()));
  }
  Burst burst;
  burst.job = id;
  burst.prompt = j.prompt;
  burst.context = j.context;
  switch (j.place) {
    case Place::device:
      ++result_.counts.on_device;
      burst.tokens = j.output;
      if (j.is_speech()) {
        burst.frames = j.frames;
        burst.synthesis = spec_.speech->chunk * spec_.speech->synthesis_time;
        burst.synthesis_power = spec_.speech->synthesis_power;
      }
      return run_on_device(burst);
    case Place::escalate:
      ++result_.counts.on_device;
      burst.tokens = std::min(spec_.escalation.after, j.output);
      return run_on_device(burst);
    case Place::cloud:
      ++result_.counts.in_cloud;
      return send_prompt(id);
    case Place::split_prefill:
      ++result_.counts.split;
      return send_prompt(id);
    case Place::speculate:
      ++result_.counts.split;
      send_prompt(id);
      return run_on_device(burst);  // the draft reads the prompt, too
  }
}

/// The user sees `tokens` more of the answer.
void PolicyRun::show(std::int64_t id, std::int64_t tokens) {
  Job& j = job(id);
  if (j.seen == 0) j.first_seen = body_.now();
  j.seen += tokens;
  j.last_seen = body_.now();
  CHECK(j.seen <= j.output, "no answer is longer than it is");
  if (j.seen == j.output) j.state = JobState::finished;
}

}  // namespace presil::serving

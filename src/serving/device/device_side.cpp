#include <algorithm>

#include "serving/device/policy.h"
#include "serving/device/policy_run.h"
#include "serving/device/streams.h"

namespace presil::serving {

void PolicyRun::run_on_device(const Burst& burst) {
  chip_.add(burst);
  if (!stepping_) start_step();
}

void PolicyRun::start_step() {
  const std::size_t level = body_.choose_level();
  const LocalStep step = chip_.start(spec_.thermal.levels[level]);
  body_.set_chip(true, step.power);
  stepping_ = true;
  totals_.busy += step.time;
  if (level > 0) totals_.throttled += step.time;
  after(step.time, Event::Kind::step_ended, Message{});
}

void PolicyRun::step_ended() {
  stepping_ = false;
  body_.set_chip(false, Watts(0));
  const LocalChip::Ended ended = chip_.end();
  const std::int64_t id = ended.burst.job;
  Job& j = job(id);
  const double time_s = to_seconds(ended.step.time).count();
  const auto work = static_cast<std::size_t>(ended.step.work);
  totals_.work_s[work] += time_s;
  totals_.work_j[work] += ended.step.power.count() * time_s;
  j.work_s += time_s;

  const bool visible = j.place == Place::device || j.place == Place::split_prefill;
  if (ended.step.writes && visible && !j.is_speech()) show(id, 1);
  if (ended.last) burst_ended(id, ended.step);
  if (!stepping_ && chip_.waiting() > 0) start_step();
}

void PolicyRun::burst_ended(std::int64_t id, const LocalStep& last) {
  Job& j = job(id);
  if (j.is_speech()) {  // heard from the first sound on, which comes before all of it is made
    const Nanoseconds speaking = last.work == LocalWork::speak ? last.time : Nanoseconds(0);
    show(id, j.output);
    j.first_seen = body_.now() - speaking +
                   std::min(speaking, to_nanoseconds(spec_.speech->synthesis_latency));
    return;
  }
  if (j.place == Place::escalate) return judge(id);
  if (j.place != Place::speculate) return;
  if (!j.draft_ready) {
    j.draft_ready = true;
    return draft(id);
  }
  send_up(id, Message::Kind::draft, j.drafted, streamed(1));
}

/// Whether the answer begun on the device is good enough.
void PolicyRun::judge(std::int64_t id) {
  Job& j = job(id);
  const bool poor = draws(streams::kEscalation, id).uniform() < spec_.escalation.chance;
  const auto network = network_at(spec_.networks, body_.now());
  if (poor && network) {
    j.escalated = true;
    j.place = Place::cloud;
    j.link = *network;
    ++result_.counts.escalated;
    --result_.counts.on_device;
    ++result_.counts.in_cloud;
    return send_prompt(id);
  }
  j.place = Place::device;
  const std::int64_t written = std::min(spec_.escalation.after, j.output);
  show(id, written);
  if (written == j.output) return;
  Burst rest;
  rest.job = id;
  rest.context = j.context + j.prompt + written - 1;
  rest.tokens = j.output - written;
  chip_.go_on(rest);
}

/// The next round of drafting, once the device has read the prompt and the last verdict is there.
void PolicyRun::draft(std::int64_t id) {
  Job& j = job(id);
  if (!j.draft_ready || j.seen == 0 || j.seen == j.output) return;
  j.drafted = std::min(spec_.speculation.tokens, j.output - j.seen - 1);
  if (j.drafted == 0) return send_up(id, Message::Kind::draft, 0, streamed(1));
  Burst burst;
  burst.job = id;
  burst.context = j.context + j.prompt + j.seen - 1;
  burst.tokens = j.drafted;
  run_on_device(burst);
}

}  // namespace presil::serving

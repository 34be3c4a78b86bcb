#include "base/error.h"
#include "serving/device/policy_run.h"
#include "serving/device/streams.h"

namespace presil::serving {

void PolicyRun::send_prompt(std::int64_t id) {
  const Job& j = job(id);
  if (j.is_private) ++result_.counts.private_in_cloud;
  const auto audio = [&] {
    const auto a_second = static_cast<double>(spec_.speech->audio_per_s.count());
    return Bytes(static_cast<std::int64_t>(a_second * j.speech_s));
  };
  const Bytes content = j.is_speech() ? audio() : spec_.messages.per_prompt_token * j.prompt;
  send_up(id, Message::Kind::prompt, j.prompt, spec_.messages.request + content);
}

void PolicyRun::send_up(std::int64_t id, Message::Kind kind, std::int64_t tokens, Bytes bytes) {
  put_on_air(Direction::up, {id, kind, tokens, bytes});
}

/// Messages of one job arrive in the order they were sent, as a connection's do.
void PolicyRun::send_down(std::int64_t id, Message::Kind kind, std::int64_t tokens, Bytes bytes) {
  Job& j = job(id);
  const Nanoseconds travelled =
      travel(body_.link(j.link).radio(), bytes, draws(streams::kTravel + (++j.messages << 32), id));
  j.last_reach = std::max(j.last_reach, body_.now() + travelled);
  after(j.last_reach - body_.now(), Event::Kind::at_radio, {id, kind, tokens, bytes});
}

void PolicyRun::put_on_air(Direction direction, const Message& message) {
  const auto through = body_.link(job(message.job).link).send(direction, message, body_.now());
  if (through) after(*through - body_.now(), Event::Kind::message_ended, message, direction);
}

void PolicyRun::message_ended(Direction direction, const Message& message) {
  Job& j = job(message.job);
  RadioLink& link = body_.link(j.link);
  const RadioLink::Ended ended = link.ended(direction, body_.now());
  if (ended.next) {
    after(*ended.next - body_.now(), Event::Kind::message_ended, ended.next_message, direction);
  }
  if (direction == Direction::down) return arrived(message);
  const Nanoseconds travelled = travel(link.radio(), message.bytes,
                                       draws(streams::kTravel + (++j.messages << 32), message.job));
  after(travelled, Event::Kind::at_cloud, message);
}

void PolicyRun::at_cloud(const Message& message) {
  const Job& j = job(message.job);
  if (message.kind == Message::Kind::draft) return check_draft(message.job, message.tokens);
  if (j.is_speech()) return interpret_in_cloud(message.job);
  read_in_cloud(message.job);
}

void PolicyRun::take(std::int64_t id, const CloudWork& work) {
  result_.cloud_energy_j += work.energy_j;
  job(id).work_s += to_seconds(work.time).count();
}

void PolicyRun::charge(std::int64_t prompt_tokens, std::int64_t output_tokens) {
  result_.cloud_usd += (static_cast<double>(prompt_tokens) * parts_.prompt_price.count() +
                        static_cast<double>(output_tokens) * parts_.output_price.count()) /
                       1e6;
}

Nanoseconds PolicyRun::cloud_wait(std::int64_t id) const {
  const Seconds mean = to_seconds(spec_.cloud->wait);
  return to_nanoseconds(mean * draws(streams::kCloudWait, id).exponential());
}

void PolicyRun::read_in_cloud(std::int64_t id) {
  const Job& j = job(id);
  const Cloud& cloud = j.place == Place::split_prefill ? *cloud_local_ : *cloud_;
  const CloudWork work = cloud.read(j.prompt, j.context);
  take(id, work);
  charge(j.prompt, 1);
  after(cloud_wait(id) + work.time, Event::Kind::cloud_writes,
        {id, Message::Kind::tokens, 1, streamed(1)});
}

/// Speech is encoded, read, answered and spoken at once; the answer comes back as sound.
void PolicyRun::interpret_in_cloud(std::int64_t id) {
  const Job& j = job(id);
  StepFeatures frames;
  frames.add_prefill(j.frames, 0);
  const StepCost encoding = parts_.cloud_encoder->cost(frames);
  CloudWork sum = cloud_->read(j.prompt, j.context);
  sum.time += encoding.time;
  sum.energy_j += encoding.energy_j;
  for (std::int64_t n = 1; n < j.output; ++n) {
    const CloudWork step = cloud_->write(j.context + j.prompt + n - 1);
    sum.time += step.time;
    sum.energy_j += step.energy_j;
  }
  take(id, sum);
  charge(j.prompt, j.output);
  const auto audio = static_cast<double>(spec_.speech->audio_per_s.count()) * j.speech_s;
  after(cloud_wait(id) + sum.time, Event::Kind::cloud_writes,
        {id, Message::Kind::tokens, j.output, Bytes(static_cast<std::int64_t>(audio))});
}

/// One step over the draft and a token more: what is right of the draft, and the next token.
void PolicyRun::check_draft(std::int64_t id, std::int64_t drafted) {
  Job& j = job(id);
  const CloudWork work = cloud_->check(drafted, j.context + j.prompt + j.seen - 1);
  take(id, work);
  Draws right = draws(streams::kAcceptance + (++j.rounds << 32), id);
  std::int64_t accepted = 0;
  while (accepted < drafted && right.uniform() < spec_.speculation.acceptance) ++accepted;
  charge(0, accepted + 1);
  after(work.time, Event::Kind::cloud_writes,
        {id, Message::Kind::tokens, accepted + 1, streamed(accepted + 1)});
}

void PolicyRun::cloud_writes(const Message& message) {
  const std::int64_t id = message.job;
  Job& j = job(id);
  send_down(id, Message::Kind::tokens, message.tokens, message.bytes);
  j.cloud_written += message.tokens;
  if (j.cloud_written == j.output) return;
  if (j.place == Place::split_prefill) {
    return send_down(id, Message::Kind::kv_cache, 0, parts_.kv_per_token * j.prompt);
  }
  if (j.place != Place::cloud) return;
  const CloudWork work = cloud_->write(j.context + j.prompt + j.cloud_written - 1);
  take(id, work);
  charge(0, 1);
  after(work.time, Event::Kind::cloud_writes, {id, Message::Kind::tokens, 1, streamed(1)});
}

void PolicyRun::arrived(const Message& message) {
  const std::int64_t id = message.job;
  const Job& j = job(id);
  if (message.kind == Message::Kind::kv_cache) {
    Burst burst;
    burst.job = id;
    burst.context = j.context + j.prompt;
    burst.tokens = j.output - 1;
    return run_on_device(burst);
  }
  show(id, message.tokens);
  if (j.place == Place::speculate) draft(id);
}

}  // namespace presil::serving

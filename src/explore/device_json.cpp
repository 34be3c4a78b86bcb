#include "explore/device_json.h"

#include <nlohmann/json.hpp>

namespace presil {
namespace {

using serving::BodySample;
using serving::PolicyResult;

Json summary(const serving::Summary& s) {
  return {{"mean", s.mean}, {"p50", s.p50}, {"p90", s.p90}, {"p99", s.p99}};
}

Json by_work(const std::array<double, 4>& values) {
  return {{"encode", values[0]}, {"read", values[1]}, {"write", values[2]}, {"speak", values[3]}};
}

void add_speech(Json& json, const serving::SpeechResult& s) {
  json["speech_s"] = s.speech_s;
  json["real_time_factor"] = s.real_time_factor;
  json["real_time_factor_worst_minute"] = s.worst_minute;
  json["keeps_up"] = s.keeps_up;
  json["lag_s"] = {{"p50", s.lag_p50_s}, {"p99", s.lag_p99_s}};
  json["mj_per_speech_s"] = s.mj_per_speech_s;
  json["work_s_per_speech_s"] = by_work(s.work_s_per_speech_s);
  json["mj_per_speech_s_by_work"] = by_work(s.mj_per_speech_s_by_work);
}

Json series(const std::vector<BodySample>& samples) {
  const auto column = [&](double BodySample::*member) {
    Json list = Json::array();
    for (const BodySample& s : samples) list.push_back(s.*member);
    return list;
  };
  return {{"t_s", column(&BodySample::t_s)},
          {"battery_share", column(&BodySample::battery)},
          {"temperature_c", column(&BodySample::skin_c)},
          {"die_c", column(&BodySample::die_c)},
          {"clock_share", column(&BodySample::speed)},
          {"power_w", column(&BodySample::power_w)}};
}

Json policy_json(const PolicyResult& r, bool has_budget) {
  const serving::DeviceCounts& c = r.counts;
  Json json = {{"name", r.policy},
               {"requests", c.requests},
               {"completed", c.finished},
               {"too_long", c.too_long},
               {"battery_empty", c.battery_empty},
               {"requests_on_device", c.on_device},
               {"in_cloud", c.in_cloud},
               {"split", c.split},
               {"escalated", c.escalated},
               {"elsewhere", c.elsewhere},
               {"private_in_cloud", c.private_in_cloud},
               {"ttft_s", summary(r.ttft_s)},
               {"tpot_s", summary(r.tpot_s)},
               {"e2e_s", summary(r.e2e_s)},
               {"energy_j",
                {{"compute", r.energy.compute.count()},
                 {"radio", r.energy.radio.count()},
                 {"idle", r.energy.idle.count()},
                 {"total", r.energy.total().count()}}},
               {"cloud_energy_j", r.cloud_energy_j},
               {"cloud_usd", r.cloud_usd},
               {"bytes_up", r.bytes_up},
               {"bytes_down", r.bytes_down},
               {"duration_s", r.duration_s},
               {"battery_left_share", r.battery_left},
               {"skin_max_c", r.skin_max_c},
               {"die_max_c", r.die_max_c},
               {"throttled_share", r.throttled_share},
               {"busy_share", r.busy_share},
               {"series", series(r.series)}};
  if (has_budget) json["in_budget"] = c.in_budget;
  if (r.battery_share_per_h) json["battery_share_per_h"] = *r.battery_share_per_h;
  if (r.speech) add_speech(json, *r.speech);
  return json;
}

}  // namespace

Json to_json(const DeviceAnswer& answer) {
  const serving::DeviceSpec& spec = answer.spec;
  Json json = {{"chip", spec.local.chip},
               {"model", spec.local.model},
               {"temperature_limit_c", spec.thermal.skin.limit.count()},
               {"kv_bytes_per_token", answer.kv_bytes_per_token},
               {"steps_timed", answer.steps_timed}};
  Json radios = Json::array();
  for (const serving::NetworkStretch& n : spec.networks) radios.push_back(n.radio);
  json["radio"] = radios;
  if (spec.budget) json["budget_s"] = to_seconds(*spec.budget).count();
  if (spec.speech) json["encoder"] = spec.speech->encoder;
  if (spec.cloud) {
    json["cloud"] = {{"chip", spec.cloud->service.chip},
                     {"model", spec.cloud->service.model},
                     {"usd_per_mtoken_prompt", answer.prompt_price.count()},
                     {"usd_per_mtoken_output", answer.output_price.count()},
                     {"own_prices", answer.own_prices}};
  }
  if (answer.no)
    json["infeasible"] = {{"reason", answer.no->reason}, {"remedy", answer.no->remedy}};
  json["policies"] = Json::array();
  for (const PolicyResult& r : answer.result.policies) {
    json["policies"].push_back(policy_json(r, spec.budget.has_value()));
  }
  return json;
}

}  // namespace presil

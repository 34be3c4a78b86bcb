#include "serving/device/policy.h"

#include <algorithm>

namespace presil::serving {
namespace {

bool fits(const Rule& rule, const Job& job, const DeviceView& view) {
  if (rule.is_private && *rule.is_private != job.is_private) return false;
  if (rule.throttled && *rule.throttled != view.throttled) return false;
  if (rule.battery_below && view.battery_left >= *rule.battery_below) return false;
  if (rule.prompt_above && job.prompt <= *rule.prompt_above) return false;
  if (rule.waiting_above && view.waiting <= *rule.waiting_above) return false;
  return rule.networks.empty() ||
         std::find(rule.networks.begin(), rule.networks.end(), view.network) != rule.networks.end();
}

}  // namespace

Place place_of(const Policy& policy, const Job& job, const DeviceView& view) {
  for (const Rule& rule : policy.rules) {
    if (fits(rule, job, view)) return rule.run;
  }
  return Place::device;
}

std::optional<std::size_t> network_at(const std::vector<NetworkStretch>& networks,
                                      Nanoseconds now) {
  Nanoseconds round;
  for (const NetworkStretch& n : networks) round += to_nanoseconds(n.time);
  if (round == Nanoseconds(0)) return std::nullopt;
  Nanoseconds left(now.count() % round.count());
  for (std::size_t i = 0; i < networks.size(); ++i) {
    const Nanoseconds time = to_nanoseconds(networks[i].time);
    if (left < time) return networks[i].radio == "none" ? std::nullopt : std::optional(i);
    left -= time;
  }
  return std::nullopt;
}

}  // namespace presil::serving

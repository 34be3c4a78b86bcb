#include <cmath>

#include <fmt/format.h>

#include "base/quantity_text.h"
#include "explore/device_service.h"

namespace presil {
namespace {

constexpr std::string_view kWorks[] = {"encoding", "reading", "writing", "speaking"};

std::string speech_sentence(const serving::PolicyResult& r) {
  const serving::SpeechResult& s = *r.speech;
  if (s.keeps_up) {
    return fmt::format(
        "keeps up with speech: {:.2f} s of work a second ({:.2f} in the worst "
        "minute), the first sound {} after a chunk ends",
        s.real_time_factor, s.worst_minute, to_string(Seconds(s.lag_p50_s)));
  }
  std::size_t most = 0;
  for (std::size_t w = 1; w < s.work_s_per_speech_s.size(); ++w) {
    if (s.work_s_per_speech_s[w] > s.work_s_per_speech_s[most]) most = w;
  }
  return fmt::format(
      "does not keep up with speech: {:.2f} s of work a second of it in the worst "
      "minute, most of it {}; {} of {} chunks were spoken",
      s.worst_minute, kWorks[most], r.counts.finished, r.counts.requests);
}

std::string request_sentence(const serving::PolicyResult& r,
                             const std::optional<Nanoseconds>& budget) {
  const serving::DeviceCounts& c = r.counts;
  std::string text =
      fmt::format("{} of {} requests answered ({} on the device, {} in the cloud, {} on both)",
                  c.finished, c.requests, c.on_device, c.in_cloud, c.split);
  if (!std::isnan(r.ttft_s.p50)) {
    text += fmt::format(", the first token after {} (99 %: {})", to_string(Seconds(r.ttft_s.p50)),
                        to_string(Seconds(r.ttft_s.p99)));
  }
  if (budget && c.requests > 0) {
    text += fmt::format(", {:.1f} % of them within {}",
                        100.0 * static_cast<double>(c.in_budget) / static_cast<double>(c.requests),
                        to_string(*budget));
  }
  return text;
}

}  // namespace

std::vector<std::string> sentences(const DeviceAnswer& answer) {
  if (answer.no) return {answer.no->reason};
  std::vector<std::string> list;
  for (const serving::PolicyResult& r : answer.result.policies) {
    std::string text = r.policy + ": ";
    text += r.speech ? speech_sentence(r) : request_sentence(r, answer.spec.budget);
    const serving::DeviceEnergy& e = r.energy;
    text += fmt::format("; {:.0f} J for computing, {:.0f} J for the radio, {:.0f} J for the rest",
                        e.compute.count(), e.radio.count(), e.idle.count());
    if (r.battery_share_per_h) {
      text += fmt::format("; {:.1f} % of the battery an hour", 100 * *r.battery_share_per_h);
    }
    if (r.throttled_share > 0) {
      text +=
          fmt::format("; the clock is lowered for {:.0f} % of the work", 100 * r.throttled_share);
    }
    if (r.cloud_usd > 0) text += fmt::format("; {:.3g} USD for the cloud", r.cloud_usd);
    list.push_back(text + ".");
  }
  return list;
}

}  // namespace presil

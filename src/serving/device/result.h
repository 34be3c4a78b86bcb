// What a policy made of a load on a device and its cloud.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "serving/device/body.h"
#include "serving/metrics/percentiles.h"

namespace presil::serving {

struct DeviceCounts {
  std::int64_t requests = 0;  // = finished + too_long + battery_empty
  std::int64_t finished = 0;
  std::int64_t too_long = 0;
  std::int64_t battery_empty = 0;
  // Of all that were begun, where they ended up:
  std::int64_t on_device = 0;  // all of it
  std::int64_t in_cloud = 0;   // those that escalated, too
  std::int64_t split = 0;      // prompt in the cloud, or drafts on the device
  std::int64_t escalated = 0;
  std::int64_t elsewhere = 0;         // not where the policy said: no network, or too long
  std::int64_t private_in_cloud = 0;  // private requests whose text left the device
  std::int64_t in_budget = 0;         // finished, the first token in time
};

/// How a call was interpreted.
struct SpeechResult {
  double speech_s = 0;
  double real_time_factor = 0;          // work / speech
  double worst_minute = 0;              // the largest real-time factor of a minute of speech
  bool keeps_up = false;                // worst_minute <= 1, and everything was spoken
  double lag_p50_s = 0, lag_p99_s = 0;  // from the end of a chunk to its first sound; NaN: none
  double mj_per_speech_s = 0;           // of the chip's steps
  // Of the device's work a second of speech: encode, read, write, speak.
  std::array<double, 4> work_s_per_speech_s{};
  std::array<double, 4> mj_per_speech_s_by_work{};
};

struct PolicyResult {
  std::string policy;
  DeviceCounts counts;
  Summary ttft_s, tpot_s, e2e_s;  // of requests that finished; speech: until the first, last sound
  DeviceEnergy energy;
  double cloud_energy_j = 0;
  double cloud_usd = 0;
  double bytes_up = 0, bytes_down = 0;
  double duration_s = 0;  // from 0 until the last answer is there and the radio idles
  std::optional<double> battery_share_per_h;  // of the capacity
  double battery_left = 1;                    // share
  double skin_max_c = 0, die_max_c = 0;
  double throttled_share = 0;  // of the time that steps ran, at a lower clock
  double busy_share = 0;       // of the duration, steps ran
  std::optional<SpeechResult> speech;
  std::vector<BodySample> series;
};

struct DeviceResult {
  std::vector<PolicyResult> policies;  // as the spec has them
};

}  // namespace presil::serving

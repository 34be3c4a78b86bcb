// A request, or a chunk of speech, on its way through device and cloud.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "serving/device/spec.h"
#include "serving/request.h"

namespace presil::serving {

enum class JobState {
  open,
  finished,
  too_long,      // for the device, and no network to the cloud
  battery_empty  // before its end
};

struct Job {
  Nanoseconds arrival;
  std::int64_t prompt = 1;
  std::int64_t context = 0;  // in the cache before, wherever it runs
  std::int64_t output = 1;
  std::int64_t frames = 0;  // of speech; 0: a request in text
  double speech_s = 0;
  bool is_private = false;

  JobState state = JobState::open;
  Place place = Place::device;
  bool escalated = false;
  std::size_t link = 0;            // of its network
  std::int64_t seen = 0;           // tokens that the user has
  std::int64_t cloud_written = 0;  // tokens
  std::uint64_t messages = 0;      // sent so far, both ways
  std::uint64_t rounds = 0;        // of drafts, checked so far
  Nanoseconds last_reach;          // of its stream's last message at the radio
  std::int64_t drafted = 0;        // tokens of the round that goes on
  bool draft_ready = false;        // the device has read the prompt
  Nanoseconds first_seen, last_seen;
  double work_s = 0;  // of the chip or of the service

  bool is_speech() const { return frames > 0; }
};

/// Requests and chunks of speech in order of arrival; which are private is drawn with `seed`.
/// Requires requests in order of arrival.
std::vector<Job> jobs_of(const DeviceSpec& spec, std::span<const Request> requests,
                         std::uint64_t seed);

}  // namespace presil::serving

#include "serving/device/job.h"

#include <algorithm>
#include <cmath>

#include "base/draws.h"
#include "serving/device/streams.h"

namespace presil::serving {
namespace {

/// How many of something that comes `rate` a second have come after `s` seconds.
std::int64_t come(double rate, double s) {
  return static_cast<std::int64_t>(std::floor(rate * s));
}

void add_speech(const SpeechSpec& s, std::vector<Job>& jobs) {
  const auto chunks = static_cast<std::int64_t>(std::floor(s.duration / s.chunk + 1e-9));
  for (std::int64_t i = 0; i < chunks; ++i) {
    const double begin = static_cast<double>(i) * s.chunk.count();
    const double end = static_cast<double>(i + 1) * s.chunk.count();
    const auto between = [&](double rate) {
      return std::max<std::int64_t>(1, come(rate, end) - come(rate, begin));
    };
    Job job;
    job.arrival = to_nanoseconds(Seconds(end));  // all of it has been heard
    job.prompt = between(s.prompt_tokens_per_s);
    job.context = s.context;
    job.output = between(s.output_tokens_per_s);
    job.frames = s.frames;
    job.speech_s = s.chunk.count();
    jobs.push_back(job);
  }
}

}  // namespace

std::vector<Job> jobs_of(const DeviceSpec& spec, std::span<const Request> requests,
                         std::uint64_t seed) {
  std::vector<Job> jobs;
  jobs.reserve(requests.size());
  for (const Request& r : requests) {
    Job job;
    job.arrival = r.arrival;
    job.prompt = r.prompt_tokens;
    job.output = r.output_tokens;
    const auto index = static_cast<std::uint64_t>(r.id);
    job.is_private = Draws(seed, streams::kPrivate, index).uniform() < spec.private_share;
    jobs.push_back(job);
  }
  if (spec.speech) {
    add_speech(*spec.speech, jobs);
    std::stable_sort(jobs.begin(), jobs.end(),
                     [](const Job& a, const Job& b) { return a.arrival < b.arrival; });
  }
  return jobs;
}

}  // namespace presil::serving

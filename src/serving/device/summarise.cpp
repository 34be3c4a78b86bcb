#include <algorithm>
#include <cmath>
#include <limits>

#include "serving/device/policy_run.h"

namespace presil::serving {
namespace {

Summary summary_of(std::vector<double> values) {
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  if (values.empty()) return {kNone, kNone, kNone, kNone};
  std::sort(values.begin(), values.end());
  double sum = 0;
  for (const double v : values) sum += v;
  return {sum / static_cast<double>(values.size()), percentile(values, 50), percentile(values, 90),
          percentile(values, 99)};
}

/// The largest ratio of work to speech over a minute's chunks in a row, or all where they are
/// shorter.
double worst_minute(const std::vector<const Job*>& chunks) {
  double worst = 0;
  double work = 0;
  double speech = 0;
  std::size_t first = 0;
  for (const Job* job : chunks) {
    work += job->work_s;
    speech += job->speech_s;
    while (speech - chunks[first]->speech_s >= 60) {
      work -= chunks[first]->work_s;
      speech -= chunks[first]->speech_s;
      ++first;
    }
    if (speech >= 60 || job == chunks.back()) worst = std::max(worst, work / speech);
  }
  return worst;
}

SpeechResult speech_of(const std::vector<Job>& jobs, const LocalTotals& local) {
  SpeechResult s;
  std::vector<const Job*> chunks;
  std::vector<double> lags;
  double work_s = 0;
  bool all_spoken = true;
  for (const Job& job : jobs) {
    if (!job.is_speech()) continue;
    chunks.push_back(&job);
    s.speech_s += job.speech_s;
    work_s += job.work_s;
    all_spoken = all_spoken && job.state == JobState::finished;
    if (job.state == JobState::finished) {
      lags.push_back(to_seconds(job.first_seen - job.arrival).count());
    }
  }
  s.real_time_factor = work_s / s.speech_s;
  s.worst_minute = worst_minute(chunks);
  s.keeps_up = all_spoken && s.worst_minute <= 1;
  const Summary lag = summary_of(std::move(lags));
  s.lag_p50_s = lag.p50;
  s.lag_p99_s = lag.p99;
  for (std::size_t w = 0; w < kLocalWorks; ++w) {
    s.work_s_per_speech_s[w] = local.work_s[w] / s.speech_s;
    s.mj_per_speech_s_by_work[w] = 1e3 * local.work_j[w] / s.speech_s;
    s.mj_per_speech_s += s.mj_per_speech_s_by_work[w];
  }
  return s;
}

double share(Nanoseconds part, Nanoseconds whole) {
  return whole == Nanoseconds(0)
             ? 0
             : static_cast<double>(part.count()) / static_cast<double>(whole.count());
}

}  // namespace

void summarise(const DeviceSpec& spec, const std::vector<Job>& jobs, const Body& body,
               const LocalTotals& local, PolicyResult& result) {
  std::vector<double> ttft, tpot, e2e;
  DeviceCounts& counts = result.counts;
  for (const Job& job : jobs) {
    ++counts.requests;
    if (job.state == JobState::too_long) ++counts.too_long;
    if (job.state == JobState::open) ++counts.battery_empty;
    if (job.state != JobState::finished) continue;
    ++counts.finished;
    const Nanoseconds first = job.first_seen - job.arrival;
    if (spec.budget && first <= *spec.budget) ++counts.in_budget;
    ttft.push_back(to_seconds(first).count());
    e2e.push_back(to_seconds(job.last_seen - job.arrival).count());
    if (job.output > 1 && !job.is_speech()) {
      tpot.push_back(to_seconds(job.last_seen - job.first_seen).count() /
                     static_cast<double>(job.output - 1));
    }
  }
  result.ttft_s = summary_of(std::move(ttft));
  result.tpot_s = summary_of(std::move(tpot));
  result.e2e_s = summary_of(std::move(e2e));
  result.energy = body.energy();
  result.duration_s = to_seconds(body.now()).count();
  for (const RadioLink& link : body.links()) {
    result.bytes_up += static_cast<double>(link.moved(Direction::up).count());
    result.bytes_down += static_cast<double>(link.moved(Direction::down).count());
  }
  if (spec.battery && result.duration_s > 0) {
    result.battery_share_per_h =
        body.energy().total() / spec.battery->capacity / (result.duration_s / 3600);
  }
  result.battery_left = body.battery_left();
  result.skin_max_c = body.hottest_skin().count();
  result.die_max_c = body.hottest_die().count();
  result.throttled_share = share(local.throttled, local.busy);
  result.busy_share = share(local.busy, body.now());
  if (spec.speech) result.speech = speech_of(jobs, local);
  result.series = body.samples();
}

}  // namespace presil::serving

#include "silicon/score.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <tuple>

#include <fmt/format.h>

namespace presil::silicon {
namespace {

constexpr std::int64_t kLongContext = 1024;

/// Predicted over measured less one, by us and by the roofline.
struct Sample {
  double ours, roofline;
};

/// The value that `share` of the sorted ones stay at or below.
double percentile(const std::vector<double>& sorted, double share) {
  const double rank = std::ceil(share * static_cast<double>(sorted.size()));
  return sorted[static_cast<std::size_t>(std::max(1.0, rank)) - 1];
}

Errors errors_of(const std::vector<Sample>& samples) {
  Errors e;
  e.rows = static_cast<std::int64_t>(samples.size());
  if (samples.empty()) return e;
  std::vector<double> sizes;
  double sum = 0, bias = 0, roofline = 0;
  for (const Sample& s : samples) {
    sizes.push_back(std::abs(s.ours));
    sum += std::abs(s.ours);
    bias += s.ours;
    roofline += std::abs(s.roofline);
  }
  std::sort(sizes.begin(), sizes.end());
  const auto n = static_cast<double>(samples.size());
  e.mape = 100 * sum / n;
  e.bias = 100 * bias / n;
  e.roofline_mape = 100 * roofline / n;
  e.median_ape = 100 * percentile(sizes, 0.5);
  e.p90_ape = 100 * percentile(sizes, 0.9);
  return e;
}

std::string regime_text(const Case& c, kernels::Regime regime, double min_latency_us) {
  std::string text;
  if (c.row->op == MeasuredOp::attention_decode) {
    text = c.row->context >= kLongContext ? "long " : "short ";
  }
  text += is_host_time(*c.row) ? "host" : to_string(regime);
  if (c.row->latency_us < min_latency_us) text += fmt::format(", under {:g} us", min_latency_us);
  return text;
}

struct GroupKey {
  std::string op, kind, chip, dtype, kv_dtype, backend, regime;
  auto operator<=>(const GroupKey&) const = default;
};

/// Adds what could not be predicted to the largest group like it.
void add_skipped(const Skipped& skipped, std::vector<Score>& scores) {
  for (const auto& [key, rows] : skipped) {
    Score* largest = nullptr;
    for (Score& s : scores) {
      if (s.op != key.op || s.kind != key.kind || s.chip != key.chip || s.dtype != key.dtype ||
          s.kv_dtype != key.kv_dtype || s.backend != key.backend) {
        continue;
      }
      if (largest == nullptr || s.errors.rows > largest->errors.rows) largest = &s;
    }
    if (largest != nullptr) largest->skipped += rows;
  }
}

class HeadlineBuilder {
 public:
  void add(const Case& c, const Sample& sample) {
    const Row& row = *c.row;
    if (is_host_time(row)) return;
    if (row.op == MeasuredOp::attention_decode && row.context < kLongContext) return;
    const std::string op(to_string(row.op));
    if (row.op != MeasuredOp::collective) groups_[{op, type_of(row)}][row.chip].push_back(sample);
    if (row.op == MeasuredOp::attention_decode || row.op == MeasuredOp::collective) {
      groups_[{op, "all"}][row.chip].push_back(sample);
    }
  }

  std::vector<Headline> lines() const {
    std::vector<Headline> result;
    for (const auto& [key, by_chip] : groups_) {
      Headline line{key.first, key.second, {}, static_cast<int>(by_chip.size()), 0};
      std::vector<Sample> all;
      for (const auto& [chip, samples] : by_chip) {
        all.insert(all.end(), samples.begin(), samples.end());
        line.mean_over_chips += errors_of(samples).mape / static_cast<double>(by_chip.size());
      }
      line.errors = errors_of(all);
      result.push_back(line);
    }
    return result;
  }

 private:
  static std::string type_of(const Row& row) {
    const auto plain = [](const std::string& type) { return type == "fp16" ? "bf16" : type; };
    const std::string type = plain(row.dtype), cache = plain(row.kv_dtype);
    return type == cache ? type : type + "/" + cache;
  }

  std::map<std::pair<std::string, std::string>, std::map<std::string, std::vector<Sample>>> groups_;
};

}  // namespace

Scoreboard score(const Cases& cases, const Predictions& predictions, double min_latency_us) {
  std::map<GroupKey, std::vector<Sample>> groups;
  HeadlineBuilder headline;
  for (std::size_t i = 0; i < cases.all().size(); ++i) {
    const Case& c = cases.all()[i];
    const double us = predictions.us[i];
    if (std::isnan(us)) continue;
    const Row& r = *c.row;
    const Sample sample{us / r.latency_us - 1, predictions.roofline_us[i] / r.latency_us - 1};
    groups[{std::string(to_string(r.op)), r.kind, r.chip, r.dtype, r.kv_dtype, r.backend,
            regime_text(c, predictions.regime[i], min_latency_us)}]
        .push_back(sample);
    if (r.latency_us >= min_latency_us) headline.add(c, sample);
  }
  Scoreboard board;
  for (const auto& [k, samples] : groups) {
    board.scores.push_back(
        {k.op, k.kind, k.chip, k.dtype, k.kv_dtype, k.backend, k.regime, errors_of(samples), 0});
  }
  add_skipped(cases.skipped(), board.scores);
  board.headline = headline.lines();
  return board;
}

}  // namespace presil::silicon

#include "serving/load/lengths.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/elementary.h"
#include "base/error.h"
#include "serving/load/trace.h"

namespace presil::serving {
namespace {

constexpr std::size_t kMostRows = std::size_t{1} << 22;
constexpr double kNormalP99 = 2.3263478740408408;  // the standard normal's 99th percentile

}  // namespace

LengthSpec lognormal_by_mean(double mean, double sigma) {
  // The mean of a lognormal is exp(mu + sigma^2 / 2).
  return {.kind = LengthSpec::Kind::lognormal,
          .mu = log_of(mean) - sigma * sigma / 2,
          .sigma = sigma,
          .file = {}};
}

LengthSpec lognormal_by_quantiles(double p50, double p99) {
  return {.kind = LengthSpec::Kind::lognormal,
          .mu = log_of(p50),
          .sigma = log_of(p99 / p50) / kNormalP99,
          .file = {}};
}

Lengths::Lengths(const LengthSpec& spec, LengthSpec::Side side, const std::filesystem::path& home)
    : spec_(spec) {
  if (spec.kind != LengthSpec::Kind::empirical) return;
  const TraceFile file = find_trace(spec.file, home);
  Trace trace(file.path, file.name);
  TraceRow row;
  while (trace.next(row)) {
    if (rows_.size() == kMostRows) {
      throw InputError(fmt::format(
          "{}: over {} requests to draw lengths from; replay it as a trace", file.name, kMostRows));
    }
    const std::int64_t tokens =
        side == LengthSpec::Side::prompt ? row.prompt_tokens : row.output_tokens;
    rows_.push_back(static_cast<std::int32_t>(std::min(tokens, kLongestDraw)));
  }
}

std::int64_t Lengths::draw(Draws draws) const {
  switch (spec_.kind) {
    case LengthSpec::Kind::fixed:
      return spec_.fixed;
    case LengthSpec::Kind::lognormal: {
      const double tokens = exp_of(spec_.mu + spec_.sigma * draws.normal()) + 0.5;
      const auto most = static_cast<double>(spec_.most);
      return std::max<std::int64_t>(1, static_cast<std::int64_t>(std::min(tokens, most)));
    }
    case LengthSpec::Kind::empirical:
      return rows_[draws.below(rows_.size())];
  }
  return 1;
}

}  // namespace presil::serving

// How long prompts and outputs are: all alike, lognormal, or as in a file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/draws.h"

namespace presil::serving {

/// The most tokens that one draw gives.
inline constexpr std::int64_t kLongestDraw = 1'000'000;

struct LengthSpec {
  enum class Kind { fixed, lognormal, empirical };
  enum class Side { prompt, output };

  Kind kind = Kind::fixed;
  std::int64_t fixed = 1;
  double mu = 0;  // lognormal: mean and standard deviation of the logarithm
  double sigma = 0;
  std::int64_t most = kLongestDraw;  // lognormal: draws above it are cut to it
  std::string file;                  // empirical: a trace
};

/// Parameters of the lognormal distribution with this mean, or this median and 99th percentile.
LengthSpec lognormal_by_mean(double mean, double sigma);
LengthSpec lognormal_by_quantiles(double p50, double p99);

/// Draws lengths from 1 to kLongestDraw.
class Lengths {
 public:
  /// Reads the file of empirical ones. Throws as Trace does, and InputError for a file of over four
  /// million requests.
  Lengths(const LengthSpec& spec, LengthSpec::Side side, const std::filesystem::path& home);

  std::int64_t draw(Draws draws) const;

 private:
  LengthSpec spec_;
  std::vector<std::int32_t> rows_;
};

}  // namespace presil::serving

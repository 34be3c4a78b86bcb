// What a service promises: "p99_ttft<=2s,p99_tpot<=50ms,mean_e2e<=20s".
//
// A promise is a list of limits, each on a statistic (mean, or pN for the N-th percentile) of a
// latency by vLLM's names: ttft (to the first token), tpot (a token after the first), itl (between
// tokens), e2e (to the last token). A service keeps it when every limit holds. A single request
// keeps it when its own ttft, tpot and e2e are within the limits, whatever their statistic: that is
// what goodput counts. Limits on itl are not asked of single requests, nor does vLLM.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "base/fields.h"
#include "base/units.h"

namespace presil::serving {

enum class Latency { ttft, tpot, itl, e2e };
std::string_view to_string(Latency latency);

struct SloLimit {
  Latency latency = Latency::ttft;
  std::optional<double> percentile;  // nothing: the mean
  Nanoseconds limit;
  std::string text;  // as it was written
};

struct Slo {
  std::vector<SloLimit> limits;
};

/// A limit, and what a service did.
struct SloCheck {
  SloLimit limit;
  double value_s = 0;  // NaN when nothing was measured: then the limit is not met
  bool met = false;
};

/// What is wrong with a text, and where: `column` counts from 1.
struct SloMistake {
  int column = 1;
  int length = 1;
  std::string message;
};

/// Reads limits that are separated by commas; at least one.
tl::expected<Slo, SloMistake> read_limits(std::string_view text);

/// The same for a command line: throws InputError that points into `text`, the value of `argument`.
Slo parse_slo(std::string_view text, const std::string& argument = "slo");

/// The field `name`, a list of such texts; no limits when it is absent.
Slo read_slo(Fields& fields, std::string_view name);

/// Whether one request keeps `slo`. A request of one token has no time per output token and keeps
/// any limit on it.
struct RequestLatency {
  double ttft_ns = 0;
  std::optional<double> tpot_ns;
  double e2e_ns = 0;
};
bool keeps(const Slo& slo, const RequestLatency& request);

}  // namespace presil::serving

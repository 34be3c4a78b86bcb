#include "serving/metrics/slo.h"

#include <charconv>

#include <fmt/format.h>

#include "base/error.h"
#include "base/quantity_text.h"

namespace presil::serving {
namespace {

constexpr std::size_t kMostLimits = 64;
constexpr std::string_view kForm = "expected a limit such as \"p99_ttft<=2s\"";

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

// Where `part`, a piece of `whole`, stands in it.
SloMistake mistake_at(std::string_view whole, std::string_view part, std::string message) {
  const auto column = static_cast<int>(part.data() - whole.data()) + 1;
  return {column, std::max(1, static_cast<int>(part.size())), std::move(message)};
}

std::optional<Latency> latency_called(std::string_view name) {
  if (name == "ttft") return Latency::ttft;
  if (name == "tpot") return Latency::tpot;
  if (name == "itl") return Latency::itl;
  if (name == "e2e" || name == "e2el") return Latency::e2e;
  return std::nullopt;
}

// "mean", or "p" and a number from 0 to 100.
struct Statistic {
  std::optional<double> percentile;
};
std::optional<Statistic> statistic_called(std::string_view name) {
  if (name == "mean") return Statistic{};
  if (name.size() < 2 || name.front() != 'p') return std::nullopt;
  double percent = 0;
  const char* end = name.data() + name.size();
  const auto [stop, failure] =
      std::from_chars(name.data() + 1, end, percent, std::chars_format::fixed);
  if (failure != std::errc{} || stop != end || !(percent >= 0 && percent <= 100)) {
    return std::nullopt;
  }
  return Statistic{percent};
}

tl::expected<SloLimit, SloMistake> read_limit(std::string_view whole, std::string_view text) {
  const auto mistake = [&](std::string_view part, std::string message) {
    return tl::unexpected(mistake_at(whole, part, std::move(message)));
  };
  const std::size_t relation = text.find("<=");
  if (relation == std::string_view::npos) return mistake(text, std::string(kForm));
  const std::string_view left = trimmed(text.substr(0, relation));
  const std::string_view right = trimmed(text.substr(relation + 2));
  const std::size_t underscore = left.find('_');
  if (underscore == std::string_view::npos) return mistake(left, std::string(kForm));

  const std::string_view statistic_name = left.substr(0, underscore);
  const auto statistic = statistic_called(statistic_name);
  if (!statistic) {
    return mistake(statistic_name,
                   fmt::format("expected mean, or a percentile such as p50, p90 or p99, found "
                               "\"{}\"",
                               statistic_name));
  }
  const std::string_view latency_name = left.substr(underscore + 1);
  const auto latency = latency_called(latency_name);
  if (!latency) {
    const std::string near = nearest(std::string(latency_name), {"ttft", "tpot", "itl", "e2e"});
    return mistake(latency_name,
                   fmt::format("expected ttft, tpot, itl or e2e, found \"{}\"{}", latency_name,
                               near.empty() ? "" : "; did you mean " + near + "?"));
  }
  const auto limit = parse_quantity(right, Dimension::nanoseconds);
  if (!limit) return mistake(right.empty() ? text : right, limit.error());
  if (!(*limit > 0)) return mistake(right, "expected a time above zero");
  return SloLimit{*latency, statistic->percentile, Nanoseconds(static_cast<std::int64_t>(*limit)),
                  fmt::format("{}<={}", left, right)};
}

}  // namespace

std::string_view to_string(Latency latency) {
  switch (latency) {
    case Latency::ttft:
      return "ttft";
    case Latency::tpot:
      return "tpot";
    case Latency::itl:
      return "itl";
    case Latency::e2e:
      return "e2e";
  }
  return "";
}

tl::expected<Slo, SloMistake> read_limits(std::string_view text) {
  Slo slo;
  std::size_t start = 0;
  while (start <= text.size()) {
    const std::size_t comma = std::min(text.find(',', start), text.size());
    auto limit = read_limit(text, trimmed(text.substr(start, comma - start)));
    if (!limit) return tl::unexpected(limit.error());
    if (slo.limits.size() == kMostLimits) {
      return tl::unexpected(SloMistake{static_cast<int>(start) + 1, 1,
                                       fmt::format("expected at most {} limits", kMostLimits)});
    }
    slo.limits.push_back(*std::move(limit));
    start = comma + 1;
  }
  return slo;
}

Slo parse_slo(std::string_view text, const std::string& argument) {
  auto slo = read_limits(text);
  if (slo) return *std::move(slo);
  const SloMistake& mistake = slo.error();
  throw InputError({Diagnostic{argument, 1, mistake.column, mistake.length, mistake.message,
                               std::string(text)}});
}

Slo read_slo(Fields& fields, std::string_view name) {
  constexpr std::string_view kDoc =
      "what the service promises: a list of limits such as \"p99_ttft<=2s\"";
  Slo slo;
  for (const std::string& text : fields.texts_or_none(name, kDoc)) {
    auto limits = read_limits(text);
    if (!limits) {
      const SloMistake& mistake = limits.error();
      fields.require(false, name,
                     fmt::format("\"{}\", column {}: {}", text, mistake.column, mistake.message));
      continue;
    }
    for (SloLimit& limit : limits->limits) slo.limits.push_back(std::move(limit));
  }
  return slo;
}

bool keeps(const Slo& slo, const RequestLatency& request) {
  for (const SloLimit& limit : slo.limits) {
    const auto most = static_cast<double>(limit.limit.count());
    switch (limit.latency) {
      case Latency::ttft:
        if (request.ttft_ns > most) return false;
        break;
      case Latency::tpot:
        if (request.tpot_ns.value_or(0) > most) return false;
        break;
      case Latency::itl:
        break;
      case Latency::e2e:
        if (request.e2e_ns > most) return false;
        break;
    }
  }
  return true;
}

}  // namespace presil::serving

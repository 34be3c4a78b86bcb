#include "silicon/bands.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <tuple>

namespace presil::silicon {
namespace {

using kernels::ErrorBand;
using kernels::Nearness;
using kernels::Regime;

constexpr std::size_t kFewest = 30;  // rows that a band can stand on

struct Key {
  std::string law, type;
  Regime regime;
  auto operator<=>(const Key&) const = default;
};
using BandMap = std::map<Key, ErrorBand>;

std::string type_of(const Case& c) {
  return c.law.situation.type.empty() ? "any" : c.law.situation.type;
}

BandMap bands_from(const Cases& cases, const Predictions& predictions, double min_latency_us) {
  std::map<Key, std::vector<double>> ratios;
  for (std::size_t i = 0; i < cases.all().size(); ++i) {
    const Case& c = cases.all()[i];
    const double us = predictions.us[i];
    if (std::isnan(us) || is_host_time(*c.row)) continue;
    const Regime regime = predictions.regime[i];
    // Launch-bound kernels are short ones: there all rows count.
    if (regime != Regime::launch && c.row->latency_us < min_latency_us) continue;
    ratios[{std::string(law_of(c.row->op).name), type_of(c), regime}].push_back(c.row->latency_us /
                                                                                us);
  }
  BandMap bands;
  for (auto& [key, list] : ratios) {
    if (list.size() < kFewest) continue;
    std::sort(list.begin(), list.end());
    const std::size_t tenth = list.size() / 10;
    bands[key] = {list[tenth], list[list.size() - 1 - tenth], static_cast<double>(list.size())};
  }
  return bands;
}

/// The laws' types that more than one chip has rows of: of these a chip held back says how well a
/// fitted type carries over. Of the others it says how well a type does that nobody fitted.
std::set<std::pair<std::string, std::string>> types_of_many(const Cases& cases) {
  std::map<std::pair<std::string, std::string>, std::set<std::string>> chips;
  for (const Case& c : cases.all()) {
    chips[{std::string(law_of(c.row->op).name), type_of(c)}].insert(c.row->chip);
  }
  std::set<std::pair<std::string, std::string>> result;
  for (const auto& [type, names] : chips) {
    if (names.size() > 1) result.insert(type);
  }
  return result;
}

double square(double x) {
  return x * x;
}

/// By how much a band widens from `near` to `far`, never less than nothing.
struct Widening {
  double low = 1, high = 1;

  void include(const ErrorBand& near, const ErrorBand& far) {
    low = std::min(low, far.low / near.low);
    high = std::max(high, far.high / near.high);
  }
};

}  // namespace

kernels::Uncertainty bands_of(const Cases& cases, const Predictions& folds,
                              const Predictions& left_out, double min_latency_us) {
  const BandMap near = bands_from(cases, folds, min_latency_us);
  const BandMap far = bands_from(cases, left_out, min_latency_us);
  const auto of_many = types_of_many(cases);
  std::map<std::pair<std::string, Regime>, Widening> by_regime;
  std::map<std::string, Widening> by_law;
  for (const auto& [key, band] : near) {
    const auto unseen = far.find(key);
    if (unseen == far.end() || !of_many.contains({key.law, key.type})) continue;
    by_regime[{key.law, key.regime}].include(band, unseen->second);
    by_law[key.law].include(band, unseen->second);
  }
  kernels::Uncertainty result;
  for (const Case& c : cases.all()) {
    if (c.chip->has_laws()) result.fitted[c.row->chip] = c.chip->machine.generation;
  }
  for (const auto& [key, band] : near) {
    Widening own;
    const auto unseen = far.find(key);
    const auto alike = by_regime.find({key.law, key.regime});
    if (unseen != far.end() && of_many.contains({key.law, key.type})) {
      own.include(band, unseen->second);
    } else {
      own = alike != by_regime.end() ? alike->second : by_law[key.law];
    }
    result.set(key.law, key.type, key.regime, Nearness::fitted, band);
    result.set(key.law, key.type, key.regime, Nearness::generation,
               {band.low * std::sqrt(own.low), band.high * std::sqrt(own.high), band.rows});
    result.set(key.law, key.type, key.regime, Nearness::unseen,
               {band.low * own.low, band.high * own.high, band.rows});
    result.set(key.law, key.type, key.regime, Nearness::unmeasured,
               {square(band.low * own.low), square(band.high * own.high), band.rows});
  }
  return result;
}

}  // namespace presil::silicon

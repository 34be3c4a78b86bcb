#include "silicon/bands.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

#include "silicon/score.h"

namespace presil::silicon {
namespace {

using kernels::ErrorBand;
using kernels::Nearness;
using kernels::Regime;

constexpr std::size_t kFewest = 30;  // rows that a band can stand on

using Key = std::tuple<std::string, std::string, Regime>;  // law, type
using BandMap = std::map<Key, ErrorBand>;

BandMap bands_from(const Cases& cases, const Predictions& predictions, double min_latency_us) {
  std::map<Key, std::vector<double>> ratios;
  for (std::size_t i = 0; i < cases.all().size(); ++i) {
    const Case& c = cases.all()[i];
    const double us = predictions.us[i];
    // Launch-bound kernels are short ones: there all rows count.
    if (std::isnan(us) || is_host_time(*c.row)) continue;
    const Regime regime = regime_of(c, us);
    if (regime != Regime::launch && c.row->latency_us < min_latency_us) continue;
    // Collectives have no number type that matters.
    const std::string& type = c.law.situation.type;
    ratios[{std::string(law_of(c.row->op).name), type.empty() ? "any" : type, regime}].push_back(
        c.row->latency_us / us);
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

}  // namespace

kernels::Uncertainty bands_of(const Cases& cases, const Predictions& folds,
                              const Predictions& left_out, double min_latency_us) {
  const BandMap near = bands_from(cases, folds, min_latency_us);
  const BandMap far = bands_from(cases, left_out, min_latency_us);
  kernels::Uncertainty result;
  for (const auto& [key, band] : near) {
    const auto& [law, type, regime] = key;
    result.set(law, type, regime, Nearness::fitted, band);
    const auto unseen = far.find(key);
    if (unseen == far.end()) continue;
    // A chip held back is never better known than one that was not.
    const ErrorBand wide{std::min(band.low, unseen->second.low),
                         std::max(band.high, unseen->second.high), unseen->second.rows};
    result.set(law, type, regime, Nearness::unseen, wide);
    result.set(law, type, regime, Nearness::generation,
               {std::sqrt(band.low * wide.low), std::sqrt(band.high * wide.high), wide.rows});
  }
  return result;
}

}  // namespace presil::silicon

#include "cost/spread/spread.h"

#include <algorithm>
#include <cmath>

#include "base/draws.h"
#include "base/parallel.h"
#include "cost/spread/triangular.h"

namespace presil {
namespace {

constexpr std::int64_t kSamplesAPiece = 256;

/// Of sorted values: linear between the two nearest.
double quantile(const std::vector<double>& sorted, double share) {
  const double at = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(at);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (at - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

bool is_bought(const CostScene& scene) {
  return scene.rate && scene.inputs.chip.price;
}

}  // namespace

std::vector<Knob> knobs_of(CostScene& scene) {
  std::vector<Knob> knobs;
  if (is_bought(scene)) {
    knobs.push_back({"price", &*scene.inputs.chip.price, false,
                     source_text(scene.inputs.chip.sources, "price")});
  } else {
    knobs = bill_knobs(scene.inputs);
  }
  if (scene.rate) {
    Prices& prices = scene.inputs.prices;
    for (Knob& knob : ownership_knobs(prices.ownership, prices.sources)) {
      knobs.push_back(std::move(knob));
    }
  }
  return knobs;
}

double usd_of(const CostScene& scene) {
  const CostInputs& in = scene.inputs;
  const double chip_usd =
      is_bought(scene) ? in.chip.price->typical : bill_of(in, scene.options, Explained::no).usd;
  return scene.rate ? usd_per_mtoken_at(*scene.rate, in.chip, chip_usd, in.prices) : chip_usd;
}

MonteCarlo monte_carlo(const CostScene& scene, std::int64_t samples, std::uint64_t seed) {
  CHECK(samples > 0, "a distribution needs a sample");
  std::vector<double> usd(static_cast<std::size_t>(samples));
  const std::int64_t pieces = (samples + kSamplesAPiece - 1) / kSamplesAPiece;
  parallel_each(static_cast<std::size_t>(pieces), [&](std::size_t piece) {
    CostScene drawn = scene;
    const std::vector<Knob> knobs = knobs_of(drawn);
    std::vector<Band> bands;
    for (const Knob& knob : knobs) bands.push_back(*knob.band);
    const auto first = static_cast<std::int64_t>(piece) * kSamplesAPiece;
    for (std::int64_t i = first; i < std::min(samples, first + kSamplesAPiece); ++i) {
      for (std::size_t k = 0; k < knobs.size(); ++k) {
        knobs[k].band->typical =
            triangular(bands[k], Draws(seed, k, static_cast<std::uint64_t>(i)).uniform());
      }
      usd[static_cast<std::size_t>(i)] = usd_of(drawn);
    }
  });
  MonteCarlo result;
  result.samples = samples;
  for (const double x : usd) result.mean += x;
  result.mean /= static_cast<double>(samples);
  std::sort(usd.begin(), usd.end());
  result.p10 = quantile(usd, 0.1);
  result.p50 = quantile(usd, 0.5);
  result.p90 = quantile(usd, 0.9);
  return result;
}

std::vector<Swing> tornado(const CostScene& scene) {
  CostScene turned = scene;
  std::vector<Swing> swings;
  for (const Knob& knob : knobs_of(turned)) {
    const Band band = *knob.band;
    const auto at = [&](double value) {
      knob.band->typical = value;
      return usd_of(turned);
    };
    Swing swing{knob.name, band.low, band.high, at(band.low), at(band.high), knob.source};
    knob.band->typical = band.typical;
    if (swing.usd_low != swing.usd_high) swings.push_back(std::move(swing));
  }
  std::stable_sort(swings.begin(), swings.end(), [](const Swing& a, const Swing& b) {
    return std::abs(a.usd_high - a.usd_low) > std::abs(b.usd_high - b.usd_low);
  });
  return swings;
}

}  // namespace presil

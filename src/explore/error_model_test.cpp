#include "explore/error_model.h"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "chip/dram_shape.h"
#include "explore/prepare.h"

namespace presil {
namespace {

using kernels::Nearness;
using kernels::Regime;

const Places kPlaces{PRESIL_SOURCE_DIR, PRESIL_SOURCE_DIR};
const ErrorClass kProducts{"gemm", "bf16", Regime::memory};
const ErrorClass kAttention{"decode", "bf16", Regime::launch};

RunResult prepared(const std::string& chip, const std::vector<std::string>& overrides = {}) {
  RunRequest request;
  request.chip = chip;
  request.model = "smollm2-135m";
  request.overrides = overrides;
  return prepare(request, kPlaces).value();
}

/// Bands of our own; the chips that the shipped constants were fitted on.
kernels::Uncertainty bands() {
  kernels::Uncertainty u;
  u.fitted = {{"H100-SXM-80GB", "wgmma"}};
  for (const Nearness n : {Nearness::fitted, Nearness::unmeasured}) {
    u.set("gemm", "bf16", Regime::memory, n, {0.9, 1.2, 100});
    u.set("decode", "bf16", Regime::launch, n, {0.8, 1.5, 100});
  }
  return u;
}

/// 60 us of products and 40 us of attention, charged to the launch, with few bytes.
PhaseResult phase() {
  PhaseResult p;
  p.timeline.by_class = {{kProducts, Picoseconds(60'000'000)},
                         {kAttention, Picoseconds(40'000'000)}};
  p.timeline.charges[static_cast<std::size_t>(Resource::launch)] = Picoseconds(100'000'000);
  return p;
}

TEST(ErrorModel, BandsOfAFittedChipAddUpByTime) {
  const RunResult h100 = prepared("h100-sxm");
  const ErrorModel errors(bands(), h100.chip, h100.library);
  EXPECT_EQ(errors.nearness(), Nearness::fitted);
  EXPECT_TRUE(errors.estimated().empty());
  const TimeBand band = errors.of(phase());
  EXPECT_NEAR(band.low, 0.6 * 0.9 + 0.4 * 0.8, 1e-12);
  EXPECT_NEAR(band.high, 0.6 * 1.2 + 0.4 * 1.5, 1e-12);
}

TEST(ErrorModel, HowNearAChipIsDependsOnItsMatrixEngines) {
  const auto nearness = [](const RunResult& r) {
    return ErrorModel(bands(), r.chip, r.library).nearness();
  };
  EXPECT_EQ(nearness(prepared("h100-sxm", {"dram.stacks=4"})), Nearness::generation);
  EXPECT_EQ(nearness(prepared("h200-sxm")), Nearness::generation);
  EXPECT_EQ(nearness(prepared("a100-sxm-80gb")), Nearness::unseen);
  EXPECT_EQ(nearness(prepared("mtia-v2")), Nearness::unmeasured);
}

TEST(ErrorModel, AnEstimatedRateIsOneMoreError) {
  const RunResult mtia = prepared("mtia-v2");  // its launch is an estimate
  const ErrorModel errors(bands(), mtia.chip, mtia.library);
  const std::vector<Resource> estimated = errors.estimated();
  ASSERT_NE(std::find(estimated.begin(), estimated.end(), Resource::launch), estimated.end());
  const TimeBand band = errors.of(phase());
  const double kernels = std::log(1.32), rate = std::log(kEstimateSpread);
  EXPECT_NEAR(std::log(band.high), std::sqrt(kernels * kernels + rate * rate), 1e-12);
}

TEST(ErrorModel, NothingIsFasterThanItsBytes) {
  const RunResult h100 = prepared("h100-sxm");
  const ErrorModel errors(bands(), h100.chip, h100.library);
  PhaseResult p = phase();
  // 95 us at the data sheet's rate, of 100.
  const double rate = peak_bandwidth(h100.chip.memory, h100.chip.chip.dram).count();
  p.timeline.dram_bytes = Bytes(static_cast<std::int64_t>(95e-6 * rate));
  EXPECT_NEAR(errors.of(p).low, 0.95, 1e-6);
}

TEST(ErrorModel, NoPhaseIsFasterThanItsProducts) {
  const RunResult h100 = prepared("h100-sxm");
  const ErrorModel errors(bands(), h100.chip, h100.library);
  PhaseResult p = phase();
  // 97 us at the boost clock, of 100: 2048 multiply-adds a cycle and core.
  p.timeline.counts.macs[Format::bf16] = static_cast<std::int64_t>(97e-6 * 1.98e9 * 2048 * 132);
  EXPECT_NEAR(errors.of(p).low, 0.97, 1e-3);
}

TEST(ErrorModel, EveryTimeOfARunLiesInItsBand) {
  for (const char* chip : {"h100-sxm", "a100-sxm-80gb", "gb200", "mtia-v2", "snapdragon-8-elite"}) {
    const RunResult r = time_run(prepared(chip), kPlaces).value();
    for (const PhaseResult& p : r.phases) {
      const TimeBand whole = r.errors.of(p);
      EXPECT_LT(whole.low, 1) << chip;
      EXPECT_GT(whole.high, 1) << chip;
      for (const KernelTime& k : p.timeline.kernels) {
        const TimeBand band = r.errors.of(k);
        EXPECT_LE(band.low, 1) << chip << " " << k.name;
        EXPECT_GE(band.high, 1) << chip << " " << k.name;
      }
    }
  }
}

}  // namespace
}  // namespace presil

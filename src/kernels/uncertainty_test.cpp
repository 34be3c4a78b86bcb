#include "kernels/uncertainty.h"

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/testing/scratch.h"

namespace presil::kernels {
namespace {

Uncertainty two_types() {
  Uncertainty u;
  u.fitted = {{"one-chip", "mma"}, {"another chip", "wgmma"}};
  u.set("gemm", "bf16", Regime::memory, Nearness::fitted, {0.9, 1.1, 500});
  u.set("gemm", "fp8", Regime::memory, Nearness::fitted, {0.95, 1.3, 200});
  u.set("gemm", "bf16", Regime::compute, Nearness::fitted, {0.97, 1.05, 900});
  return u;
}

std::filesystem::path write(const std::string& text) {
  const std::filesystem::path file = testing::scratch_folder() / "test.yaml";
  std::ofstream(file) << text;
  return file;
}

TEST(Uncertainty, ATypeHasItsOwnBand) {
  const ErrorBand b = two_types().band_of("gemm", "bf16", Regime::memory, Nearness::fitted);
  EXPECT_EQ(b.low, 0.9);
  EXPECT_EQ(b.high, 1.1);
}

TEST(Uncertainty, ATypeNobodyMeasuredGetsTheWidest) {
  const Uncertainty u = two_types();
  const ErrorBand same_regime = u.band_of("gemm", "nvfp4", Regime::memory, Nearness::fitted);
  EXPECT_EQ(same_regime.low, 0.9);
  EXPECT_EQ(same_regime.high, 1.3);
  const ErrorBand other_regime = u.band_of("gemm", "bf16", Regime::launch, Nearness::fitted);
  EXPECT_EQ(other_regime.low, 0.9);
  EXPECT_EQ(other_regime.high, 1.3);
  EXPECT_EQ(u.band_of("decode", "bf16", Regime::launch, Nearness::fitted).rows, 0);
}

TEST(Uncertainty, WhatIsPrintedIsRead) {
  const std::string text = print_uncertainty(two_types());
  EXPECT_EQ(print_uncertainty(read_uncertainty(write(text))), text);
}

TEST(Uncertainty, AChipIsAsNearAsItsNameAndItsMatrixEngines) {
  const Uncertainty u = two_types();
  const std::vector<std::string> fitted = {"some", "one-chip"}, others = {"some"};
  EXPECT_EQ(u.nearness_of(fitted, "mma", false), Nearness::fitted);
  EXPECT_EQ(u.nearness_of(fitted, "mma", true), Nearness::generation);
  EXPECT_EQ(u.nearness_of(others, "wgmma", false), Nearness::generation);
  EXPECT_EQ(u.nearness_of(others, "tcgen05", false), Nearness::unseen);
}

TEST(Uncertainty, ABandUpsideDownIsRefused) {
  EXPECT_THROW(read_uncertainty(write("presil: uncertainty/1\n"
                                      "gemm: {fitted: {memory: {bf16: {low: 1.2, high: 0.9}}}}\n")),
               InputError);
}

TEST(Uncertainty, AKernelIsBoundByWhatMostOfItsTimeIsChargedTo) {
  Terms t;
  t.before = 3;
  t.work = 4;
  EXPECT_EQ(regime_of(t, 8), Regime::memory);
  EXPECT_EQ(regime_of(t, 1), Regime::compute);
  EXPECT_EQ(regime_of(t, 1, Regime::link), Regime::link);
  t.before = 9;
  EXPECT_EQ(regime_of(t, 8), Regime::launch);
  t.after = 20;  // an epilogue
  EXPECT_EQ(regime_of(t, 8), Regime::compute);
  t.floor = 100;  // of the host
  EXPECT_EQ(regime_of(t, 8), Regime::launch);
}

}  // namespace
}  // namespace presil::kernels

#include "silicon/fit.h"

#include <cmath>

#include <gtest/gtest.h>

namespace presil::silicon {
namespace {

using kernels::ConstantInfo;
using kernels::Constants;

constexpr ConstantInfo kLine[] = {
    {"start_us", 1, 0, 100, kernels::kEngine, "paid once"},
    {"share", 0.5, 0.1, 1, kernels::kNothing, "of a peak of 100 units a microsecond"},
};

/// Times of share 0.8 and starts of 3 and 12 us: what the fit must find.
FitProblem two_engines() {
  FitProblem p;
  p.law = {"line", kLine};
  p.situations = {{"a", "", "", ""}, {"b", "", "", ""}};
  for (std::size_t row = 0; row < 200; ++row) {
    p.situation_of.push_back(row % 2);
    const double size = 10 * static_cast<double>(row + 1);
    p.measured_us.push_back((row % 2 == 0 ? 3 : 12) + size / 80);
  }
  p.predict = [](std::size_t row, Constants c) {
    return c[0] + 10 * static_cast<double>(row + 1) / (100 * c[1]);
  };
  return p;
}

TEST(Fit, FindsTheConstantsThatMadeTheRows) {
  const FitProblem p = two_engines();
  const kernels::ConstantTable table = fit(p, {});
  const auto a = table.values(p.law, p.situations[0]);
  const auto b = table.values(p.law, p.situations[1]);
  EXPECT_NEAR(a[0], 3, 0.01);
  EXPECT_NEAR(b[0], 12, 0.01);
  EXPECT_NEAR(a[1], 0.8, 0.001);
  EXPECT_EQ(a[1], b[1]) << "it depends on nothing";
  EXPECT_LT(mape(p, table), 0.1);
}

TEST(Fit, OneWildRowHardlyPulls) {
  FitProblem p = two_engines();
  p.measured_us[100] *= 10;
  const auto a = fit(p, {}).values(p.law, p.situations[0]);
  EXPECT_NEAR(a[0], 3, 0.05);
}

TEST(Fit, StaysWithinBounds) {
  FitProblem p = two_engines();
  for (double& us : p.measured_us) us /= 10;  // would need a share of 8
  EXPECT_EQ(fit(p, {}).values(p.law, p.situations[0])[1], 1);
}

TEST(Fit, AConstantAtItsBoundDoesNotSlowTheOthers) {
  // The rows want a share of 1.6, which may be 1 at most; the starts must find their best with it.
  FitProblem p = two_engines();
  for (double& us : p.measured_us) us /= 2;
  EXPECT_NEAR(mape(p, fit(p, {.rounds = 8, .start = {}})),
              mape(p, fit(p, {.rounds = 300, .start = {}})), 0.05);
}

}  // namespace
}  // namespace presil::silicon

#include "serving/metrics/slo.h"

#include <gtest/gtest.h>

#include "base/document.h"

namespace presil::serving {
namespace {

SloMistake mistake_in(std::string_view text) {
  const auto slo = read_limits(text);
  EXPECT_FALSE(slo.has_value()) << text;
  return slo ? SloMistake{} : slo.error();
}

TEST(Slo, ReadsLimitsSeparatedByCommas) {
  const Slo slo = parse_slo("p99_ttft<=2s, p99.9_tpot <= 50 ms,mean_e2e<=20s,p50_itl<=30ms");

  ASSERT_EQ(slo.limits.size(), 4u);
  EXPECT_EQ(slo.limits[0].latency, Latency::ttft);
  EXPECT_EQ(slo.limits[0].percentile, 99);
  EXPECT_EQ(slo.limits[0].limit, Nanoseconds(2'000'000'000));
  EXPECT_EQ(slo.limits[1].latency, Latency::tpot);
  EXPECT_EQ(slo.limits[1].percentile, 99.9);
  EXPECT_EQ(slo.limits[1].limit, Nanoseconds(50'000'000));
  EXPECT_EQ(slo.limits[1].text, "p99.9_tpot<=50 ms");
  EXPECT_EQ(slo.limits[2].latency, Latency::e2e);
  EXPECT_EQ(slo.limits[2].percentile, std::nullopt);
  EXPECT_EQ(slo.limits[3].latency, Latency::itl);
}

TEST(Slo, MistakesPointIntoTheText) {
  EXPECT_EQ(mistake_in("p99_ttft<=2s,p99_tptt<=50ms").column, 18);
  EXPECT_EQ(mistake_in("p99_ttft<=2s,p99_tptt<=50ms").message,
            "expected ttft, tpot, itl or e2e, found \"tptt\"; did you mean tpot?");
  EXPECT_EQ(mistake_in("p101_ttft<=2s").column, 1);
  EXPECT_EQ(mistake_in("p101_ttft<=2s").length, 4);
  EXPECT_EQ(mistake_in("p99_ttft<=2").column, 11);
  EXPECT_EQ(mistake_in("p99_ttft<2s").message, "expected a limit such as \"p99_ttft<=2s\"");
  EXPECT_EQ(mistake_in("p99_ttft<=-2s").column, 11);
  EXPECT_EQ(mistake_in("p99_ttft<=").column, 1);
  for (const char* text : {"", ",", "p99_ttft<=2s,", "ttft<=2s", "p_ttft<=2s", "pnan_ttft<=2s",
                           "median_ttft<=2s", "p99_ttft<=0s", "p99_ttft<=nans"}) {
    EXPECT_FALSE(read_limits(text).has_value()) << text;
  }
}

TEST(Slo, ACommandLinesMistakeNamesItsArgument) {
  try {
    parse_slo("p99_ttft<=2", "--find-max-rate");
    FAIL() << "a bare number is no time";
  } catch (const InputError& error) {
    ASSERT_EQ(error.diagnostics().size(), 1u);
    EXPECT_EQ(error.diagnostics()[0].file, "--find-max-rate");
    EXPECT_EQ(error.diagnostics()[0].column, 11);
    EXPECT_EQ(error.diagnostics()[0].source_line, "p99_ttft<=2");
  }
}

TEST(Slo, OfAFileIsAListOfLimits) {
  const auto source = std::make_shared<const Source>(
      Source{"s.yaml", "slo: [\"p99_ttft<=2s\", \"p99_tpot<=50ms\"]\n"});
  const Node root = parse_document(source, Syntax::yaml);
  Diagnostics log;
  Fields fields(root, "", log);

  EXPECT_EQ(read_slo(fields, "slo").limits.size(), 2u);
  EXPECT_TRUE(log.empty());
}

TEST(Slo, OfAFileWithAMistakeIsRefused) {
  const auto source =
      std::make_shared<const Source>(Source{"s.yaml", "name: x\nslo: [\"p99_tfft<=2s\"]\n"});
  const Node root = parse_document(source, Syntax::yaml);
  Diagnostics log;
  Fields fields(root, "", log);

  read_slo(fields, "slo");
  try {
    log.throw_if_any();
    FAIL() << "tfft is no latency";
  } catch (const InputError& error) {
    EXPECT_EQ(error.diagnostics()[0].line, 2);
    EXPECT_NE(error.diagnostics()[0].message.find("did you mean ttft?"), std::string::npos);
  }
}

TEST(Slo, ARequestKeepsItWithItsOwnLatencies) {
  const Slo slo = parse_slo("p99_ttft<=2s,p99_tpot<=50ms,mean_e2e<=20s,p99_itl<=1ns");

  EXPECT_TRUE(keeps(slo, {.ttft_ns = 2e9, .tpot_ns = 50e6, .e2e_ns = 20e9}));
  EXPECT_FALSE(keeps(slo, {.ttft_ns = 2e9 + 1, .tpot_ns = 50e6, .e2e_ns = 20e9}));
  EXPECT_FALSE(keeps(slo, {.ttft_ns = 2e9, .tpot_ns = 50e6 + 1, .e2e_ns = 20e9}));
  EXPECT_FALSE(keeps(slo, {.ttft_ns = 2e9, .tpot_ns = 50e6, .e2e_ns = 20e9 + 1}));
  EXPECT_TRUE(keeps(slo, {.ttft_ns = 1e9, .tpot_ns = std::nullopt, .e2e_ns = 1e9}));
}

}  // namespace
}  // namespace presil::serving

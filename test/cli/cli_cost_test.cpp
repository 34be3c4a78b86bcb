// `presil cost` as a user meets it.
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "cli.h"

namespace {

using presil::testing::Answer;
using presil::testing::Cli;
using presil::testing::Json;
using presil::testing::operator+;

using Arguments = std::vector<std::string>;

Json cost(const Arguments& arguments, const Answer& a) {
  EXPECT_EQ(a.status, 0) << a.err << (arguments.empty() ? "" : arguments.back());
  return a.json();
}

TEST_F(Cli, ABillsPrintedLinesSumToItsPrintedTotal) {
  for (const std::string chip : {"h100-sxm", "artemis-hbm3e", "groq-lpu", "mi300x"}) {
    const Arguments asked = {"cost", chip, "--volume", "100000", "--json"};
    const Json json = cost(asked, presil(asked));
    EXPECT_EQ(json["schema"], "presil/cost/1");
    for (const std::string end : {"low", "typical", "high"}) {
      double sum = 0;
      for (const Json& line : json["lines"]) sum += line[end].get<double>();
      EXPECT_EQ(sum, json["usd_per_chip"][end].get<double>()) << chip << " " << end;
    }
    EXPECT_GT(json["wafers"].get<double>(), 0);
    for (const Json& line : json["lines"]) EXPECT_FALSE(line["source"].get<std::string>().empty());
  }
}

TEST_F(Cli, ADesignMovesBetweenFoundries) {
  const Arguments asked = {"cost", "artemis-hbm3e", "--json", "--node"};
  const Json sf4x = cost(asked, presil(asked + Arguments{"samsung-sf4x"}));
  const Json n5 = cost(asked, presil(asked + Arguments{"tsmc-n5"}));

  EXPECT_FALSE(sf4x.contains("moved")) << "it is there already";
  EXPECT_EQ(n5["moved"]["from"], "samsung-sf4x");
  EXPECT_LT(n5["die_area_mm2"].get<double>(), sf4x["die_area_mm2"].get<double>());
  EXPECT_GT(n5["power_w"].get<double>(), sf4x["power_w"].get<double>());
  // SF4X has no published price, so the line is SF4X's.
  EXPECT_EQ(n5["break_even"]["node"], "samsung-sf4x");
  EXPECT_EQ(n5["break_even"]["against"], "tsmc-n5");
  EXPECT_GT(n5["break_even"]["curve"].size(), 10u);
}

TEST_F(Cli, MonteCarloIsTheSameOnAnyNumberOfThreadsAndLiesInTheBand) {
  const Arguments asked = {"cost", "h100-sxm",  "--monte-carlo", "2000",     "--seed",
                           "3",    "--tornado", "--json",        "--no-host"};
  const Answer one = presil(asked + Arguments{"-j", "1"});
  const Answer two = presil(asked + Arguments{"-j", "2"});
  EXPECT_EQ(one.out, two.out);
  const Json json = cost(asked, one);
  EXPECT_GT(json["monte_carlo"]["p10"], json["usd_per_chip"]["low"]);
  EXPECT_LT(json["monte_carlo"]["p90"], json["usd_per_chip"]["high"]);
  EXPECT_EQ(json["monte_carlo"]["samples"], 2000);
  EXPECT_FALSE(json["tornado"].empty());
}

TEST_F(Cli, BadCostsAreRefusedWithWhereAndWhatIsNear) {
  const Answer node = presil({"cost", "h100-sxm", "--node", "tsmc-n55"});
  EXPECT_EQ(node.status, 2);
  EXPECT_NE(node.err.find("did you mean 'tsmc-n5'?"), std::string::npos) << node.err;
  const Answer package = presil({"cost", "h100-sxm", "--package", "fcbga"});
  EXPECT_EQ(package.status, 2);
  EXPECT_NE(package.err.find("need an interposer"), std::string::npos) << package.err;
  EXPECT_NE(presil({"cost", "h100-sxm", "--monte-carlo", "-1"}).status, 0);
  EXPECT_NE(presil({"cost", "h100-sxm", "--set", "package.attach_yield=2"}).status, 0);
}

TEST_F(Cli, ACostForAPersonHasItsTables) {
  const Answer a = presil({"cost", "artemis-hbm3e", "--node", "tsmc-n5", "--package", "soic-cowos",
                           "--monte-carlo", "50", "--tornado"});
  ASSERT_EQ(a.status, 0) << a.err;
  for (const std::string part :
       {"USD a chip", "3D bonding loss", "USD a year", "repairs",
        "Moved from samsung-sf4x to tsmc-n5", "50 draws", "what matters"}) {
    EXPECT_NE(a.out.find(part), std::string::npos) << part;
  }
}

}  // namespace

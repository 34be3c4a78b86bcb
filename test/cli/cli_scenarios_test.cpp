// Every shipped scenario as a user meets it: it answers its question, writes its page, and its
// numbers hold together. Each runs once, which takes up to a minute or two of CPU.
#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "cli.h"

namespace {

using presil::testing::Answer;
using presil::testing::Cli;
using presil::testing::Json;
using presil::testing::operator+;

namespace fs = std::filesystem;

using Arguments = std::vector<std::string>;

double number(const Json& json) {
  return json.get<double>();
}

class Scenarios : public Cli {
 protected:
  /// What the scenario answers, with what all of them have in common looked at.
  Json answer(const std::string& name) const {
    const Answer a = presil({"serve", name, "--json"});
    EXPECT_EQ(a.status, 0) << a.err;
    if (a.status != 0) return {};
    const Json json = a.json();
    EXPECT_EQ(json["schema"], "presil/serve/1");
    EXPECT_EQ(json["scenario"], name);
    EXPECT_FALSE(json["question"].get<std::string>().empty());
    EXPECT_FALSE(json["answers"].empty());
    bool any_source = false;
    for (const Json& input : json["inputs"]) any_source = any_source || input.contains("ref");
    EXPECT_TRUE(any_source) << "where its numbers are from";
    for (const Json& said : json["answers"]) EXPECT_FALSE(said["text"].get<std::string>().empty());
    EXPECT_GT(fs::file_size(folder_ / "out" / (name + ".html")), 10'000u) << "its page";
    return json;
  }
};

/// The services of an answer, the first one included.
std::vector<Json> services(const Json& json) {
  if (json.contains("services")) return json["services"].get<std::vector<Json>>();
  return {json};
}

void expect_service_holds_together(const Json& s) {
  const std::string name = s["name"];
  EXPECT_EQ(number(s["requests"]), number(s["completed"]) + number(s["rejected"])) << name;
  EXPECT_EQ(number(s["rejected"]), number(s["too_long"]) + number(s["turned_away"])) << name;
  EXPECT_NEAR(number(s["energy_j"]), number(s["power_w"]) * number(s["duration_s"]),
              1e-9 * number(s["energy_j"]))
      << name;
  EXPECT_LE(number(s["kv_use"]["max"]), 1) << name;
  EXPECT_LT(number(s["mfu"]), 1) << name;
  for (const char* const end : {"low", "typical", "high"}) {
    double sum = 0;
    for (const Json& line : s["usd_per_mtoken_lines"]) sum += number(line[end]);
    EXPECT_NEAR(sum, number(s["usd_per_mtoken"][end]), 1e-9 * sum) << name << " " << end;
  }
  for (const char* const time : {"ttft_s", "tpot_s", "itl_s", "e2e_s"}) {
    EXPECT_LE(number(s[time]["p50"]), number(s[time]["p90"])) << name << " " << time;
    EXPECT_LE(number(s[time]["p90"]), number(s[time]["p99"])) << name << " " << time;
  }
}

/// At the highest rate the promise is kept, and at some rate that was tried it is not.
void expect_highest_rates(const Json& json, std::size_t count) {
  ASSERT_EQ(services(json).size(), count);
  for (const Json& s : services(json)) {
    expect_service_holds_together(s);
    EXPECT_GT(number(s["max_rate"]), 0) << s["name"];
    EXPECT_TRUE(s["meets_slo"].get<bool>()) << s["name"];
    bool missed = false;
    for (const Json& point : s["load_curve"]) {
      missed = missed || !point["meets"].get<bool>();
      EXPECT_TRUE(point["meets"].get<bool>() || point["rate"] > s["max_rate"]) << s["name"];
    }
    EXPECT_TRUE(missed) << s["name"];
  }
}

void expect_supply(const Json& supply) {
  double before = 0;
  for (const Json& date : supply["by_date"]) {
    EXPECT_GE(number(date["deliverable"]), before) << date["date"];
    before = number(date["deliverable"]);
  }
  EXPECT_GT(before, 0);
}

TEST_F(Scenarios, AnHourOfAzureOnOneA100IsTheSameOnOneThreadAndOnTwo) {
  const Arguments asked = {"serve", "llama31-8b-a100-azure-conv", "--json", "--no-host", "-j"};
  const Answer one = presil(asked + Arguments{"1"});
  const Answer two = presil(asked + Arguments{"2"});
  ASSERT_EQ(one.status, 0) << one.err;
  EXPECT_EQ(one.out, two.out);
  EXPECT_TRUE(fs::exists(folder_ / "out/llama31-8b-a100-azure-conv.html"));

  const Json json = one.json();
  expect_service_holds_together(json);
  EXPECT_EQ(json["requests"], 19366) << "the trace's";
  EXPECT_EQ(json["too_long"], 1) << "of more than 8,192 tokens";
  EXPECT_TRUE(json["meets_slo"].get<bool>());
  EXPECT_LE(number(json["step_table"]["error_mean"]), 1) << "percent";
  EXPECT_LE(json["series"]["t_s"].size(), 300u);
  EXPECT_FALSE(json["gantt"].empty());
}

TEST_F(Scenarios, AFleetOf350000Chips) {
  const Json fleet = answer("fleet-350k")["fleet"];
  EXPECT_EQ(fleet["chips"], 350'000);
  EXPECT_GE(number(fleet["simulated_requests"]), 1e6);
  ASSERT_EQ(fleet["points"].size(), 5u);
  for (const Json& point : fleet["points"]) {
    const double watts = number(point["chip_power_w"]) * number(fleet["power_overhead"]);
    EXPECT_NEAR(number(point["megawatts"]), watts / 1e6, 1e-9 * watts / 1e6);
    for (const char* const end : {"low", "typical", "high"}) {
      const double paid =
          number(point["depreciation_usd_per_day"][end]) + number(point["opex_usd_per_day"][end]);
      const double sold = number(point["tokens_per_day"]) * number(point["usd_per_mtoken"][end]);
      EXPECT_NEAR(sold / 1e6, paid, 1e-9 * paid) << end;
    }
    EXPECT_NEAR(number(point["served_per_day"]) + number(point["turned_away_per_day"]),
                number(point["requests_per_day"]), 1e-9 * number(point["requests_per_day"]));
    double hours = 0;
    for (const Json& hour : point["hours"]) hours += number(hour["megawatts"]) / 24;
    EXPECT_NEAR(hours, number(point["megawatts"]), 1e-9 * hours);
  }
}

TEST_F(Scenarios, APhoneInterpretsACall) {
  const Json device = answer("phone-interpreter")["device"];
  const Json own = device["policies"][0];
  EXPECT_EQ(own["name"], "device");
  EXPECT_LT(number(own["real_time_factor"]), 1) << "it keeps up with speech";
  EXPECT_GT(number(own["mj_per_speech_s"]), 0);
  EXPECT_EQ(own["in_cloud"], 0);
  const Json cloud = device["policies"][1];
  EXPECT_EQ(cloud["requests_on_device"], 0);
  EXPECT_GT(number(cloud["energy_j"]["radio"]), number(own["energy_j"]["radio"]))
      << "a call keeps the radio awake; speech that goes through it costs more";
  EXPECT_LT(number(cloud["energy_j"]["compute"]), number(own["energy_j"]["compute"]));
}

TEST_F(Scenarios, AnAiPcHasSevenWaysToAnswer) {
  const Json policies = answer("ai-pc")["device"]["policies"];
  EXPECT_EQ(policies.size(), 7u);
  for (const Json& policy : policies) {
    EXPECT_EQ(number(policy["requests"]), number(policy["completed"]) + number(policy["too_long"]) +
                                              number(policy["battery_empty"]))
        << policy["name"];
    const Json& energy = policy["energy_j"];
    const double sum = number(energy["compute"]) + number(energy["radio"]) + number(energy["idle"]);
    EXPECT_NEAR(number(energy["total"]), sum, 1e-9 * sum) << policy["name"];
  }
}

TEST_F(Scenarios, AHeadsetHasFiftyMilliseconds) {
  const Json device = answer("headset")["device"];
  EXPECT_NEAR(number(device["budget_s"]), 0.05, 1e-12);
  EXPECT_EQ(device["policies"].size(), 3u);
}

TEST_F(Scenarios, Llama3OnArtemisWithHbm3e) {
  expect_highest_rates(answer("llama3-on-artemis-hbm3e"), 3);
}

TEST_F(Scenarios, TrainiumWithEachHbm) {
  expect_highest_rates(answer("trainium-hbm"), 3);
}

TEST_F(Scenarios, AnInferenceChipWithLpddr) {
  expect_highest_rates(answer("agi-chip-lpddr"), 2);
}

TEST_F(Scenarios, MtiaAtASecondFoundry) {
  const Json cost = answer("mtia-at-second-foundry")["cost"];
  const Json& points = cost["foundries"]["points"];
  ASSERT_EQ(points.size(), 11u);
  EXPECT_EQ(number(points[0]["wafers"]["samsung-sf4x"]), 0);
  EXPECT_EQ(number(points[10]["wafers"]["tsmc-n5"]), 0);
  for (const char* const foundry : {"tsmc-n5", "samsung-sf4x"}) {
    EXPECT_NEAR(number(points[5]["wafers"][foundry]) * 2,
                number(points[0]["wafers"][foundry]) + number(points[10]["wafers"][foundry]), 1e-6)
        << "half of the volume, half of the wafers";
  }
  EXPECT_EQ(cost["foundries"]["break_even"]["node"], "samsung-sf4x");
  expect_supply(cost["supply"]);
}

TEST_F(Scenarios, GpusOrAnOwnChip) {
  const Json json = answer("gpu-or-own-chip");
  expect_highest_rates(json, 2);
  const Json& plan = json["cost"]["buy_or_build"];
  // What one own chip writes, in bought ones: the measured rates, both of one chip.
  const double own = number(services(json)[0]["output_throughput"]);
  const double bought = number(services(json)[1]["output_throughput"]);
  EXPECT_NEAR(number(plan["bought_per_own"]), own / bought, 0.01 * own / bought);
  for (const Json& point : plan["points"]) {
    const double own_usd = number(point["own"]["typical"]);
    EXPECT_EQ(own_usd < number(point["bought"]["typical"]),
              !plan["crossing"]["typical"].is_null() &&
                  number(point["volume"]) > number(plan["crossing"]["typical"]));
  }
  expect_supply(json["cost"]["supply"]);
}

TEST_F(Scenarios, OneHouseOrThree) {
  const Json cost = answer("turnkey-or-split")["cost"];
  for (const char* const house : {"one", "three"}) {
    for (const char* const end : {"low", "typical", "high"}) {
      double sum = 0;
      for (const Json& line : cost["houses"][house]["lines"]) sum += number(line[end]);
      EXPECT_EQ(sum, number(cost["houses"][house]["usd_per_chip"][end])) << house << " " << end;
    }
  }
  expect_supply(cost["supply"]);
}

TEST_F(Scenarios, EachIsTestedHere) {
  const std::string tests =
      presil::testing::contents(presil::testing::kHome / "test/cli/cli_scenarios_test.cpp");
  for (const fs::directory_entry& file :
       fs::directory_iterator(presil::testing::kHome / "scenarios")) {
    EXPECT_NE(tests.find('"' + file.path().stem().string() + '"'), std::string::npos)
        << file.path();
  }
}

}  // namespace

// The tool as a user meets it: what it answers, and what it says to bad input. Each test has a
// folder and a store of its own.
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "cli.h"

namespace {

using presil::testing::Answer;
using presil::testing::Cli;
using presil::testing::contents;
using presil::testing::Json;
using presil::testing::kHome;
using presil::testing::kProgram;
using presil::testing::operator+;
namespace fs = std::filesystem;

std::vector<std::string> decode(const std::string& chip, const std::string& model) {
  return {"run", chip, model, "--phase", "decode", "--context", "1024", "--json"};
}

// --- what it shows ----------------------------------------------------------------------------

TEST_F(Cli, DecodeOfLlama3On8BReadsItsWeightsAndIsBoundByDram) {
  const Answer a = presil(decode("h100-sxm", "llama-3-8b"));
  ASSERT_EQ(a.status, 0) << a.err;
  const Json json = a.json();
  EXPECT_EQ(json["schema"], "presil/run/1");
  const Json& p = json["phases"]["decode"];
  // 8.03 G parameters less the embedding table, in bf16, and the cache of 1024 tokens.
  EXPECT_GE(p["dram_bytes"].get<double>(), 15.0e9);
  EXPECT_LE(p["dram_bytes"].get<double>(), 15.4e9);
  const double ideal = p["dram_bytes"].get<double>() / (p["dram_peak_gbs"].get<double>() * 1e9);
  EXPECT_GE(p["time_s"].get<double>(), ideal);
  EXPECT_LE(p["time_s"].get<double>(), 1.5 * ideal);
  EXPECT_EQ(p["bound_by"], "dram");
  EXPECT_FALSE(json["ops"].empty());
  EXPECT_GT(json["cost"]["usd_per_mtoken"].get<double>(), 0);
  EXPECT_GT(json["host"]["cpu_s"].get<double>(), 0);
}

TEST_F(Cli, WithoutRefreshDecodeIsFourToThirteenPerCentFaster) {
  const double with = presil(decode("h100-sxm", "llama-3-8b")).json()["phases"]["decode"]["time_s"];
  const double without = presil(decode("h100-sxm", "llama-3-8b") +
                                std::vector<std::string>{"--set", "dram.refresh=off"})
                             .json()["phases"]["decode"]["time_s"];
  EXPECT_GE(1 - without / with, 0.04);
  EXPECT_LE(1 - without / with, 0.13);
}

TEST_F(Cli, LongPrefillIsBoundByTheMatrixEnginesOrThePowerLimit) {
  const Answer a = presil(
      {"run", "h100-sxm", "llama-3-8b", "--phase", "prefill", "--prompt-tokens", "2048", "--json"});
  ASSERT_EQ(a.status, 0) << a.err;
  const std::string bound = a.json()["phases"]["prefill"]["bound_by"];
  EXPECT_TRUE(bound == "matrix" || bound == "power") << bound;
}

TEST_F(Cli, MoreStacksStopHelpingAndTheRunSaysWhy) {
  const Answer a = presil({"sweep", "artemis-hbm3e", "llama-3-8b", "--set", "dram.stacks=2,4,6",
                           "--phase", "decode", "--context", "1024", "--json"});
  ASSERT_EQ(a.status, 0) << a.err;
  const Json points = a.json()["points"];
  ASSERT_EQ(points.size(), 3u);
  const auto decode_of = [&](std::size_t i) { return points[i]["phases"]["decode"]; };
  EXPECT_EQ(decode_of(2)["bound_by"], "sram");
  const double four = decode_of(1)["time_s"];
  const double six = decode_of(2)["time_s"];
  EXPECT_NEAR(six / four, 1, 0.03);
}

TEST_F(Cli, TheSameInputGivesTheSameBytesOnAnyNumberOfThreads) {
  const std::vector<std::string> run = {"sweep",           "mtia-v2", "smollm2-135m", "--set",
                                        "dram.stacks=2,4", "--json",  "--no-host"};
  const Answer one = presil(run + std::vector<std::string>{"-j", "1", "--store", "one.sqlite"});
  const Answer two = presil(run + std::vector<std::string>{"-j", "2", "--store", "two.sqlite"});
  ASSERT_EQ(one.status, 0) << one.err;
  EXPECT_EQ(one.out, two.out);
}

TEST_F(Cli, ASweepTakesKnownPointsFromTheStore) {
  const std::vector<std::string> run = {"sweep", "mtia-v2",         "smollm2-135m",
                                        "--set", "dram.stacks=2,4", "--json"};
  EXPECT_EQ(presil(run).json()["host"]["reused_points"], 0);
  EXPECT_EQ(presil(run).json()["host"]["reused_points"], 2);
}

TEST_F(Cli, RunsThatDifferInOneOptionAreKeptApartAndEqualOnesOnce) {
  const std::vector<std::string> run = {"run", "mtia-v2", "smollm2-135m", "--json"};
  for (const std::vector<std::string>& option : {std::vector<std::string>{"--phase", "decode"},
                                                 {"--phase", "prefill"},
                                                 {"--phase", "decode", "--launch", "eager"},
                                                 {"--phase", "decode"}}) {
    EXPECT_EQ(presil(run + option).status, 0);
  }
  EXPECT_EQ(presil({"ls", "--json"}).json()["runs"].size(), 3u);
}

TEST_F(Cli, RealTokensCyclesJoulesAndDollarsAreOneObject) {
  if (!has_weights()) GTEST_SKIP() << "no weights in PRESIL_MODEL_CACHE";
  const Answer a = presil({"run", "artemis-hbm3e", "smollm2-135m", "--prompt",
                           "The capital of France is", "-n", "16", "--mode", "both", "--json"});
  ASSERT_EQ(a.status, 0) << a.err;
  const Json json = a.json();
  EXPECT_NE(json["text"].get<std::string>().find("Paris"), std::string::npos) << json["text"];
  EXPECT_EQ(json["token_ids"].size(), 16u);
  EXPECT_GT(json["phases"]["decode"]["time_s"].get<double>(), 0);
  EXPECT_GT(json["phases"]["decode"]["energy_j"].get<double>(), 0);
  EXPECT_GT(json["cost"]["usd_per_mtoken"].get<double>(), 0);
}

TEST_F(Cli, AProgramIsPrintedForAPerson) {
  const Answer a = presil({"compile", "artemis-hbm3e", "llama-3-8b"});
  ASSERT_EQ(a.status, 0) << a.err;
  EXPECT_NE(a.out.find("gemm gate_up [m=T n=28672 k=4096]"), std::string::npos);
}

TEST_F(Cli, ShippedFilesAreWithoutAnError) {
  std::vector<std::string> files = {"check"};
  for (const char* folder : {"chips", "memories", "nodes", "packages", "numerics", "models"}) {
    for (const auto& entry : fs::directory_iterator(kHome / folder)) files.push_back(entry.path());
  }
  const Answer a = presil(files);
  EXPECT_EQ(a.status, 0) << a.err;
}

TEST_F(Cli, ASchemaIsJson) {
  const Answer a = presil({"schema", "chip"});
  ASSERT_EQ(a.status, 0) << a.err;
  EXPECT_TRUE(a.json()["properties"].contains("dram"));
  EXPECT_TRUE(presil({"schema", "numerics"}).json()["properties"].contains("accumulator"));
}

TEST_F(Cli, TheArithmeticIsTheChipsOrTheUsers) {
  const std::vector<std::string> run = {"run",     "h100-sxm", "smollm2-135m",
                                        "--phase", "decode",   "--json"};
  const auto name = [&](const std::vector<std::string>& options) {
    return presil(run + options).json()["numerics"]["name"];
  };
  EXPECT_EQ(name({}), "bf16");
  EXPECT_EQ(name({"--numerics", "fp8-hopper"}), "fp8-hopper");
  EXPECT_EQ(name({"--set", "numerics=mxfp4"}), "mxfp4");
  EXPECT_EQ(name({"--numerics", "fp8-hopper", "--set", "numerics.accumulator.bits=12"}),
            "fp8-hopper*");
  EXPECT_EQ(name({"--dtype", "q4_0"}), "bf16*");

  const Answer unknown = presil(run + std::vector<std::string>{"--numerics", "fp8-hoper"});
  EXPECT_EQ(unknown.status, 3);
  EXPECT_NE(unknown.err.find("did you mean 'fp8-hopper'?"), std::string::npos) << unknown.err;
  const Answer wide = presil(run + std::vector<std::string>{"--numerics", "fp8-hopper", "--set",
                                                            "numerics.accumulator.bits=20"});
  EXPECT_EQ(wide.status, 2);
  EXPECT_NE(wide.err.find("--set numerics.accumulator.bits=20:1:27: error: accumulator.bits"),
            std::string::npos)
      << wide.err;
  const Answer stored =
      presil(run + std::vector<std::string>{"--numerics", "fp8-hopper", "--dtype", "q4_0"});
  EXPECT_EQ(stored.status, 2);
  EXPECT_NE(stored.err.find("--dtype q4_0: not with numerics fp8-hopper"), std::string::npos)
      << stored.err;
}

TEST_F(Cli, ShowPrintsNumericsWithTheirSources) {
  const Answer a = presil({"show", "fp8-hopper"});
  ASSERT_EQ(a.status, 0) << a.err;
  EXPECT_NE(a.out.find("sum=aligned group=32 bits=14"), std::string::npos) << a.out;
  EXPECT_NE(a.out.find("DeepSeek-V3 3.3.2"), std::string::npos) << a.out;
  EXPECT_EQ(presil({"show", "w4a16", "--json"}).json()["kind"], "numerics");
}

TEST_F(Cli, DramCheckReportsBothCommandsAndTheRuleTheyBreak) {
  // hbm3-6400 in ticks of half a CK (312.5 ps): tRCDRD is 31 CK, so 62 + 3 - 2 = 63 ticks from an
  // ACT of three slots to a RD of two; RD starts on odd ticks, so at 65 at the earliest.
  const std::string header = "# presil-dram-log/1 part=hbm3-6400 rate=6.4 Gb/s channels=1\n";
  std::ofstream(folder_ / "legal.log") << header << "1 0 0 ACT 4 17\n65 0 0 RD 4 17\n";
  std::ofstream(folder_ / "early.log") << header << "1 0 0 ACT 4 17\n63 0 0 RD 4 17\n";

  const Answer legal = presil({"dram-check", "legal.log", "hbm3-6400", "--json"});
  ASSERT_EQ(legal.status, 0) << legal.err;
  EXPECT_EQ(legal.json()["schema"], "presil/dram-check/1");
  EXPECT_EQ(legal.json()["commands"], 2);
  EXPECT_TRUE(legal.json()["violations"].empty());

  const Answer early = presil({"dram-check", "early.log", "hbm3-6400", "--json"});
  ASSERT_EQ(early.status, 1) << early.err;
  EXPECT_EQ(early.json()["violation_count"], 1);
  EXPECT_EQ(early.json()["by_rule"], Json({{"tRCDRD", 1}}));
  const Json v = early.json()["violations"][0];
  EXPECT_EQ(v["line"], 3);
  EXPECT_EQ(v["rule"], "tRCDRD");
  EXPECT_EQ(v["required_ticks"], 63);
  EXPECT_EQ(v["found_ticks"], 62);
  EXPECT_EQ(v["first"]["command"], "ACT");
  EXPECT_EQ(v["first"]["tick"], 1);
  EXPECT_EQ(v["second"]["command"], "RD");
  EXPECT_EQ(v["second"]["bank"], 4);
  EXPECT_EQ(v["second"]["row"], 17);

  const Answer text = presil({"dram-check", "early.log", "hbm3-6400"});
  EXPECT_EQ(text.status, 1);
  EXPECT_NE(text.out.find("tRCDRD"), std::string::npos);
  EXPECT_NE(text.out.find("ACT at 1, bank 4, row 17"), std::string::npos);
  // A slower clock needs fewer cycles: at half the rate tRCDRD is 16 CK, 32 + 3 - 2 = 33 ticks.
  EXPECT_EQ(presil({"dram-check", "early.log", "hbm3-6400", "--rate", "3.2 Gb/s"}).status, 0);
  EXPECT_EQ(presil({"dram-check", "early.log", "hbm3-6400", "--set", "timing.tRCDRD=18 ns"}).status,
            0);
}

TEST_F(Cli, DramCheckRefusesWhatItCannotCheck) {
  const std::string header = "# presil-dram-log/1 part=hbm3-6400 rate=6.4 Gb/s rows=16384\n";
  std::ofstream(folder_ / "bad.log") << header << "1 0 0 ACT 4 17\n9 0 0 OPEN 4 17\n";
  const auto refused = [&](const std::vector<std::string>& arguments, int status,
                           const std::string& why) {
    const Answer a = presil(std::vector<std::string>{"dram-check"} + arguments);
    EXPECT_EQ(a.status, status);
    EXPECT_NE(a.err.find(why), std::string::npos) << a.err;
  };
  refused({"bad.log", "hbm3-6400"}, 2, "bad.log:3:7: error: expected a command");
  refused({"bad.log", "hbm3-640"}, 3, "did you mean 'hbm3-6400'?");
  refused({"none.log", "hbm3-6400"}, 3, "none.log");
  refused({"bad.log", "hbm3e-9800-12h"}, 2, "bad.log:1:50: error: rows: expected 24576");
  refused({"bad.log", "hbm3-6400", "--rate", "6.4"}, 2, "without a unit");
  refused({"bad.log", "hbm3-6400", "--rate", "9.6 Gb/s"}, 2, "--rate: expected from 640 Mb/s");
  refused({"bad.log", "hbm3-6400", "--set", "timing.tRRP=1 ns"}, 2, "timing.tRRP");
}

// --- a memory by itself -----------------------------------------------------------------------

std::vector<std::string> dram(const std::vector<std::string>& options) {
  return std::vector<std::string>{"dram", "--json"} + options;
}

TEST_F(Cli, AMemoryIsSimulatedAlikeByEveryEngine) {
  Json first;
  for (const char* engine : {"reference", "event", "fast"}) {
    const Answer a = presil(dram({"hbm3-6400", "--channels", "1", "--atoms", "20k", "--pattern",
                                  "random", "--writes", "1/3", "--engine", engine}));
    ASSERT_EQ(a.status, 0) << a.err;
    const Json json = a.json();
    if (first.is_null()) first = json;
    EXPECT_EQ(json["schema"], "presil/dram/1");
    EXPECT_EQ(json["atoms"], 20'000);
    EXPECT_EQ(json["bytes"], 640'000);
    EXPECT_EQ(json["commands"]["WR"], 6'666);  // blocks of two atoms
    for (const char* key : {"ticks", "commands", "log_hash", "row", "latency_s", "energy_j"}) {
      EXPECT_EQ(json[key], first[key]) << engine << " " << key;
    }
  }
  EXPECT_EQ(first["log_hash"].get<std::string>().size(), 16u);
  EXPECT_EQ(first["tick_ps"], 312.5);
  EXPECT_EQ(first["banks"].size(), 2u * 32);
  EXPECT_DOUBLE_EQ(first["efficiency"].get<double>(),
                   first["bandwidth_gbs"].get<double>() / first["peak_gbs"].get<double>());
  EXPECT_EQ(first["timing_estimated"], true);
  EXPECT_FALSE(first["estimates"].empty());
}

TEST_F(Cli, TheGoldenConfigurationTakesRamulatorsTicks) {
  const std::string golden = kHome / "test/dram/r-hbm3-1pc.yaml";
  const auto ticks = [&](const char* pattern, const char* atoms) {
    const Answer a = presil(dram({"--config", golden, "--pattern", pattern, "--atoms", atoms}));
    EXPECT_EQ(a.status, 0) << a.err;
    return a.json()["ticks"];
  };
  EXPECT_EQ(ticks("random", "40000"), 532'485);
  EXPECT_EQ(ticks("stride:8192", "1e5"), 1'993'709);
  EXPECT_EQ(ticks("blocks:4096", "100k"), 469'117);
}

TEST_F(Cli, AMemoryHasLoadCurveAndSensitivityTheSameOnAnyNumberOfThreads) {
  const std::vector<std::string> options =
      dram({"hbm3-6400", "--pattern", "random", "--atoms", "20k", "--curve", "--sensitivity", "20%",
            "--no-host"});
  const Answer one = presil(options + std::vector<std::string>{"-j", "1"});
  const Answer two = presil(options + std::vector<std::string>{"-j", "2"});
  ASSERT_EQ(one.status, 0) << one.err;
  EXPECT_EQ(one.out, two.out);
  const Json json = one.json();
  EXPECT_GE(json["curve"].size(), 14u);
  EXPECT_EQ(json["sensitivity"]["timings"][0]["timing"], "tFAW");
  EXPECT_EQ(json["channels"], 1);
}

TEST_F(Cli, ATraceIsReadFromAFileAndItsBadLineIsNamed) {
  std::ofstream(folder_ / "good.trace") << "LD 0x1000\nST 0x2000\nLD 64\n";
  const Answer a = presil(dram({"ddr5-4800", "--pattern", "trace:good.trace"}));
  ASSERT_EQ(a.status, 0) << a.err;
  EXPECT_EQ(a.json()["commands"]["RD"], 2);
  EXPECT_EQ(a.json()["commands"]["WR"], 1);
  std::ofstream(folder_ / "bad.trace") << "LD 0x1000\nLD 0xfffffffffffff\n";
  const Answer bad = presil({"dram", "ddr5-4800", "--pattern", "trace:bad.trace"});
  EXPECT_EQ(bad.status, 2);
  EXPECT_NE(bad.err.find("bad.trace:2:4: error: expected an address below"), std::string::npos)
      << bad.err;
}

TEST_F(Cli, ACommandLogOfAMemoryBreaksNoRule) {
  ASSERT_EQ(presil(dram({"lpddr5x-8533", "--pattern", "random", "--writes", "0.5", "--atoms", "5k",
                         "--channels", "2", "--command-log", "out.log"}))
                .status,
            0);
  const Answer a = presil({"dram-check", "out.log", "lpddr5x-8533", "--json"});
  EXPECT_EQ(a.status, 0) << a.out << a.err;
  EXPECT_EQ(a.json()["violations"].size(), 0u);
}

TEST_F(Cli, ResultsOfAMemoryAreKeptAndShownByTheReport) {
  ASSERT_EQ(presil(dram({"hbm3-6400", "--atoms", "1000"})).status, 0);
  ASSERT_EQ(presil(dram({"hbm3-6400", "--atoms", "2000"})).status, 0);
  const Json runs = presil({"ls", "--json"}).json()["runs"];
  ASSERT_EQ(runs.size(), 2u);
  EXPECT_EQ(runs[0]["verb"], "dram");
  EXPECT_EQ(presil({"report"}).status, 0);
  EXPECT_NE(contents(folder_ / "out/report.html").find("presil/dram/1"), std::string::npos);
}

TEST_F(Cli, AMemoryThatCannotBeAskedSoIsRefused) {
  const std::pair<std::vector<std::string>, const char*> slips[] = {
      {{"dram"}, "expected a memory part"},
      {{"dram", "hbm3-6400", "--atoms", "0"}, "--atoms: expected from 1"},
      {{"dram", "hbm3-6400", "--atoms", "many"}, "--atoms: expected a whole number"},
      {{"dram", "hbm3-6400", "--atoms", "1.5"}, "--atoms: expected a whole number"},
      {{"dram", "hbm3-6400", "--channels", "0"}, "--channels: expected from 1"},
      {{"dram", "hbm3-6400", "--channels", "-3"}, "--channels: expected a whole number"},
      {{"dram", "hbm3-6400", "--writes", "4/3"}, "a share from 0 to 1"},
      {{"dram", "hbm3-6400", "--pattern", "sequental"}, "did you mean 'sequential'?"},
      {{"dram", "hbm3-6400", "--pattern", "stride:100"}, "expected a multiple of 64 bytes"},
      {{"dram", "hbm3-6400", "--pattern", "blocks:1TiB"}, "the size of the memory"},
      {{"dram", "hbm3-6400", "--load", "120%"}, "--load: expected a share"},
      {{"dram", "hbm3-6400", "--load", "50%", "--curve"}, "give one of them"},
      {{"dram", "hbm3-6400", "--sensitivity", "100%"}, "--sensitivity"},
      {{"dram", "hbm3-6400", "--no-shortcut", "all"}, "--no-shortcut"},
      {{"dram", "hbm3-6400", "--set", "dram.page_policy=opened"}, "dram.page_policy=opened"},
  };
  for (const auto& [arguments, said] : slips) {
    const Answer a = presil(arguments);
    EXPECT_EQ(a.status, 2) << said;
    EXPECT_NE(a.err.find(said), std::string::npos) << a.err;
  }
  const Answer unknown = presil({"dram", "hbm3-640"});
  EXPECT_EQ(unknown.status, 3);
  EXPECT_NE(unknown.err.find("did you mean 'hbm3-6400'?"), std::string::npos) << unknown.err;
  EXPECT_EQ(presil({"dram", "hbm3-6400", "--pattern", "trace:none"}).status, 3);
}

// --- bad input --------------------------------------------------------------------------------

TEST_F(Cli, AnUnknownKeyIsNamedWithItsPlaceAndTheNearestOne) {
  const Answer a = presil(decode(chip_with("stacks: 5", "stack: 5"), "llama-3-8b"));
  EXPECT_EQ(a.status, 2);
  EXPECT_NE(a.err.find("chip.yaml:24:"), std::string::npos) << a.err;
  EXPECT_NE(a.err.find("unknown key 'stack'"), std::string::npos) << a.err;
  EXPECT_NE(a.err.find("did you mean 'stacks'?"), std::string::npos) << a.err;
  EXPECT_FALSE(fs::exists(folder_ / "out"));  // nothing half-written
}

TEST_F(Cli, AMissingUnitAWrongUnitAndANegativeSizeAreRefused) {
  const std::pair<std::string, std::string> slips[] = {{"rate: 5.234 Gb/s", "rate: 5.234"},
                                                       {"limit: 700 W", "limit: 700 GB"},
                                                       {"size: 256 KiB", "size: -256 KiB"},
                                                       {"count: 132", "count: 0"}};
  for (const auto& [from, to] : slips) {
    const Answer a = presil(decode(chip_with(from, to), "llama-3-8b"));
    EXPECT_EQ(a.status, 2) << to;
    EXPECT_NE(a.err.find("chip.yaml:"), std::string::npos) << a.err;
    EXPECT_NE(a.err.find("expected"), std::string::npos) << a.err;
    EXPECT_NE(a.err.find("found"), std::string::npos) << a.err;
  }
}

TEST_F(Cli, ADuplicateKeyIsRefused) {
  const Answer a = presil(decode(chip_with("year: 2022", "year: 2022\nname: twice"), "llama-3-8b"));
  EXPECT_EQ(a.status, 2);
  EXPECT_NE(a.err.find("duplicate"), std::string::npos) << a.err;
}

TEST_F(Cli, AnOverridePointsIntoTheArgument) {
  const Answer a = presil(decode("h100-sxm", "llama-3-8b") +
                          std::vector<std::string>{"--set", "dram.stacks=six"});
  EXPECT_EQ(a.status, 2);
  EXPECT_NE(a.err.find("dram.stacks=six"), std::string::npos) << a.err;
  EXPECT_NE(a.err.find("whole number"), std::string::npos) << a.err;
}

TEST_F(Cli, AnUnknownChipOrModelIsMissingInputWithTheNearestName) {
  const Answer chip = presil(decode("h100-sx", "llama-3-8b"));
  EXPECT_EQ(chip.status, 3);
  EXPECT_NE(chip.err.find("h100-sxm"), std::string::npos) << chip.err;
  const Answer model = presil(decode("h100-sxm", "lama-3-8b"));
  EXPECT_EQ(model.status, 3);
  EXPECT_NE(model.err.find("llama-3-8b"), std::string::npos) << model.err;
}

TEST_F(Cli, AModelTooLargeForTheChipIsAnAnswer) {
  const Answer a = presil(decode("h100-sxm", "llama-3-70b"));
  EXPECT_EQ(a.status, 1) << a.err;
  const Json json = a.json();
  EXPECT_EQ(json["status"], "infeasible");
  EXPECT_NE(json["reason"].get<std::string>().find("GB too much"), std::string::npos);
  EXPECT_NE(json["remedy"].get<std::string>().find("--tp 2"), std::string::npos) << json["remedy"];
}

TEST_F(Cli, ASequenceLongerThanTheContextIsRefused) {
  const Answer a = presil(
      {"run", "h100-sxm", "llama-3-8b", "--phase", "prefill", "--prompt-tokens", "8193", "--json"});
  EXPECT_EQ(a.status, 2);
  EXPECT_NE(a.err.find("8193"), std::string::npos) << a.err;
  EXPECT_NE(a.err.find("8192"), std::string::npos) << a.err;
}

TEST_F(Cli, AGgufCutShortIsRefused) {
  if (!has_weights()) GTEST_SKIP() << "no weights in PRESIL_MODEL_CACHE";
  std::ifstream whole(fs::path(std::getenv("PRESIL_MODEL_CACHE")) / "smollm2-135m.gguf",
                      std::ios::binary);
  std::string head(3'000'000, '\0');
  whole.read(head.data(), static_cast<std::streamsize>(head.size()));
  std::ofstream(folder_ / "cut.gguf", std::ios::binary) << head;
  const Answer a = presil(decode("h100-sxm", "cut.gguf"));
  EXPECT_EQ(a.status, 2);
  EXPECT_NE(a.err.find("cut.gguf"), std::string::npos) << a.err;
}

TEST_F(Cli, NonsenseOnTheCommandLineIsBadInput) {
  EXPECT_EQ(presil({"run", "h100-sxm"}).status, 2);
  EXPECT_EQ(presil({"fly"}).status, 2);
  EXPECT_EQ(presil(decode("h100-sxm", "llama-3-8b") + std::vector<std::string>{"--tp", "3"}).status,
            2);
  EXPECT_EQ(
      presil(decode("h100-sxm", "llama-3-8b") + std::vector<std::string>{"--batch", "0"}).status,
      2);
  EXPECT_EQ(
      presil(decode("h100-sxm", "llama-3-8b") + std::vector<std::string>{"--pp", "33"}).status, 2);
  EXPECT_EQ(presil(decode("h100-sxm", "llama-3-8b") + std::vector<std::string>{"--ep", "2"}).status,
            2);
}

TEST_F(Cli, ADesignIsSplitOverChipsAsItsOptionsSay) {
  const auto chips = [&](const std::string& model, const std::vector<std::string>& split) {
    const Answer a = presil(decode("h100-sxm", model) + split + std::vector<std::string>{"--json"});
    EXPECT_EQ(a.status, 0) << a.err;
    return a.json()["phases"]["decode"]["chips"];
  };
  EXPECT_EQ(chips("llama-3-8b", {"--pp", "2", "--tp", "2"}), 4);
  EXPECT_EQ(chips("qwen3-30b-a3b", {"--dp", "2", "--ep", "2", "--batch", "2"}), 2);
  EXPECT_EQ(chips("mixtral-8x7b", {"--tp", "2", "--context", "100,1024", "--batch", "3"}), 2);
}

TEST_F(Cli, AModelThatDoesNotFitIsAnsweredWithWhatWouldFit) {
  const Answer a = presil(decode("h100-sxm", "mixtral-8x7b"));
  EXPECT_EQ(a.status, 1);
  EXPECT_NE(a.out.find("GB too much"), std::string::npos) << a.out;
  EXPECT_NE(a.out.find("--tp 2 would fit"), std::string::npos) << a.out;
}

TEST_F(Cli, AFileThatIsNoStoreIsRefused) {
  std::ofstream(folder_ / "notes.txt")
      << "not a database, and longer than a hundred bytes: " << std::string(200, 'x');
  const Answer a =
      presil(decode("mtia-v2", "smollm2-135m") + std::vector<std::string>{"--store", "notes.txt"});
  EXPECT_EQ(a.status, 2) << a.err;
  EXPECT_NE(a.err.find("notes.txt"), std::string::npos) << a.err;
}

TEST_F(Cli, CtrlCEndsWith130AndLeavesTheStoreWhole) {
  const pid_t child = start({"sweep", "h100-sxm", "llama-3-8b", "--set",
                             "core.clock=1 GHz,1.1 GHz,1.2 GHz,1.3 GHz,1.4 GHz,1.5 GHz,1.6 GHz",
                             "--set", "dram.stacks=1,2,3,4,5,6,7,8"});
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  kill(child, SIGINT);
  EXPECT_EQ(finish(child).status, 130);
  const Answer again = presil({"ls", "--json"});
  EXPECT_EQ(again.status, 0) << again.err;
}

TEST_F(Cli, ABadPointOfASweepIsNamedWhateverElseRuns) {
  const Answer a =
      presil({"sweep", "h100-sxm", "smollm2-135m", "--set", "dram.stacks=1,2,x,4,y,6"});
  EXPECT_EQ(a.status, 2) << a.err;
  EXPECT_NE(a.err.find("dram.stacks=x"), std::string::npos) << a.err;
  EXPECT_EQ(a.err.find("dram.stacks=y"), std::string::npos) << a.err;
}

TEST_F(Cli, AnAxisOfASweepIsGivenOnce) {
  const Answer a = presil({"sweep", "h100-sxm", "smollm2-135m", "--set", "dram.stacks=1,2", "--set",
                           "dram.stacks=3,4"});
  EXPECT_EQ(a.status, 2);
  EXPECT_NE(a.err.find("--set dram.stacks: expected once"), std::string::npos) << a.err;
}

TEST_F(Cli, TwoProcessesShareAStore) {
  const std::vector<std::string> run = decode("mtia-v2", "smollm2-135m");
  const pid_t first = start(run);
  const pid_t second = start(run + std::vector<std::string>{"--batch", "2"});
  EXPECT_EQ(finish(first).status, 0);
  EXPECT_EQ(finish(second).status, 0);
  EXPECT_EQ(presil({"ls", "--json"}).json()["runs"].size(), 2u);
}

TEST_F(Cli, AFailureIsOneObjectToo) {
  const Answer slip = presil(decode("h100-sxm", "llama-3-8b") +
                             std::vector<std::string>{"--set", "dram.stacks=six"});
  const Json json = slip.json();
  EXPECT_EQ(json["schema"], "presil/error/1");
  EXPECT_EQ(json["exit_code"], slip.status);
  EXPECT_EQ(json["errors"][0]["file"], "--set dram.stacks=six");
  EXPECT_EQ(presil({"show", "nobody", "--json"}).json()["exit_code"], 3);
  EXPECT_EQ(presil({"fly", "--json"}).json()["exit_code"], 2);
}

TEST_F(Cli, NumbersOutOfThisWorldAreRefusedAtTheirPlace) {
  for (const char* set : {"core.clock=1e300 GHz",
                          "core.clock=1e-300 GHz",
                          "dram.rate=1 Mb/s",
                          "dram.rate=99 Gb/s",
                          "sram.read=1e-9 TB/s",
                          "noc.bandwidth=1e300 TB/s",
                          "core.count=1e15",
                          "power.limit=nan W",
                          "dram.stacks=1000000000",
                          "dram.mapping=nonsense",
                          "memory.organisation.rows=1e9",
                          "die.area=-1 mm2",
                          "core.matrix.macs_per_cycle.bf16=1e-9",
                          "dram.stacks",
                          "=1",
                          "dram..stacks=1",
                          "dram.stacks.x=1",
                          "nothing=1",
                          "memory.rate=4",
                          "core.sram.size=256 KiB/s",
                          "dram.part=",
                          "core="}) {
    const Answer a =
        presil(decode("h100-sxm", "smollm2-135m") + std::vector<std::string>{"--set", set});
    EXPECT_EQ(a.status, 2) << set;
    EXPECT_NE(a.err.find(set), std::string::npos) << a.err;
  }
}

TEST_F(Cli, AStepThatCannotBeCountedOrWaitedForIsALimit) {
  EXPECT_EQ(presil({"run", "h100-sxm", "llama-3-8b", "--context", "9223372036854775807"}).status,
            2);
  const Answer a = presil(decode("mtia-v2", "llama-3-8b") +
                          std::vector<std::string>{"--set", "noc.bandwidth=1 MB/s"});
  EXPECT_EQ(a.status, 4);
  EXPECT_NE(a.err.find("100 s"), std::string::npos) << a.err;
}

TEST_F(Cli, TextThatIsNoTextIsRefused) {
  const std::vector<std::string> run = {"run", "artemis-hbm3e", "smollm2-135m", "--prompt"};
  const Answer broken = presil(run + std::vector<std::string>{"\xff\xfe"});
  EXPECT_EQ(broken.status, 2);
  EXPECT_NE(broken.err.find("argument 5: expected UTF-8"), std::string::npos) << broken.err;
  EXPECT_EQ(presil(run + std::vector<std::string>{""}).status, 2);
  EXPECT_EQ(presil(run + std::vector<std::string>{"Hi", "--mode", "cycles"}).status, 2);
}

TEST_F(Cli, WeightsOfAnotherModelAreRefused) {
  if (!has_weights()) GTEST_SKIP() << "no weights in PRESIL_MODEL_CACHE";
  const fs::path file = fs::path(std::getenv("PRESIL_MODEL_CACHE")) / "smollm2-135m.gguf";
  const Answer a = presil({"run", "h100-sxm", "llama-3-8b", "--weights", file});
  EXPECT_EQ(a.status, 2);
  EXPECT_NE(a.err.find("expected the weights of llama-3-8b (32 layers"), std::string::npos)
      << a.err;
}

TEST_F(Cli, WhatWouldBeIgnoredIsRefused) {
  EXPECT_EQ(presil({"show", "llama-3-8b", "--set", "dram.stacks=6"}).status, 2);
  EXPECT_EQ(presil({"ls", "--set", "dram.stacks=6"}).status, 2);
  EXPECT_EQ(presil({"--seed", "-1", "ls"}).status, 2);
  EXPECT_EQ(presil({"--seed", "18446744073709551616", "ls"}).status, 2);
  EXPECT_EQ(presil({"run", "h100-sxm", "llama-3-8b", "--phase", "1"}).status, 2);
}

TEST_F(Cli, AnUnknownVerbIsNamedWithTheNearestOne) {
  const Answer a = presil({"swep"});
  EXPECT_EQ(a.status, 2);
  EXPECT_NE(a.err.find("did you mean 'sweep'?"), std::string::npos) << a.err;
}

TEST_F(Cli, AnAnswerThatCannotBeWrittenIsNoSuccess) {
  const std::string command = "PRESIL_HOME=" + kHome.string() + " " + kProgram +
                              " show h100-sxm > /dev/full 2> " + (folder_ / "said").string();
  const int status = std::system(command.c_str());
  EXPECT_EQ(WEXITSTATUS(status), 4);
  EXPECT_NE(contents(folder_ / "said").find("No space left"), std::string::npos);
}

}  // namespace

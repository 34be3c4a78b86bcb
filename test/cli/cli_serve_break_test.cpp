// `presil serve` in the hands of a careless user and of a hostile one.
#include <chrono>
#include <csignal>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "cli.h"

namespace {

using presil::testing::Answer;
using presil::testing::Cli;
using presil::testing::Json;
using presil::testing::kHome;
using presil::testing::operator+;

namespace fs = std::filesystem;
using Arguments = std::vector<std::string>;

const std::string kLengths = "lengths: {prompt: {fixed: 100}, output: {fixed: 20}}";
const std::string kLoad = "load: {requests: 20, rate: 5 /s, " + kLengths + "}\n";
const std::string kEngine =
    "engine: {max_model_len: 512, max_num_seqs: 8, max_num_batched_tokens: 256}";
const std::string kPool = "{chip: a100-sxm-80gb, " + kEngine + "}";

/// A scenario of one service; `load` and `pool` are blocks of it.
std::string scenario(const std::string& load = kLoad, const std::string& pool = kPool) {
  return "presil: scenario/1\nname: t\nquestion: q?\nmodel: smollm2-135m\n" + load +
         "services:\n  - name: a\n    pools: [" + pool + "]\n";
}

std::string with(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

class CliServeBreak : public Cli {
 protected:
  Answer serve(const std::string& text, const Arguments& more = {}) const {
    std::ofstream(folder_ / "s.yaml") << text;
    return presil(Arguments{"serve", "s.yaml", "--json"} + more);
  }
  /// The messages of an answer that is no answer: one JSON object, and its exit code.
  static std::string refused(const Answer& a, int status = 2) {
    EXPECT_EQ(a.status, status) << a.out << a.err;
    const Json json = a.json();
    EXPECT_EQ(json["schema"], "presil/error/1");
    EXPECT_EQ(json["exit_code"], status);
    std::string all;
    for (const Json& e : json["errors"]) all += e["message"].get<std::string>() + "\n";
    return all;
  }
  static std::string first_answer(const Answer& a) {
    return a.json()["answers"][0]["text"].get<std::string>();
  }
};

TEST_F(CliServeBreak, AScenarioThatAsksNothingIsRefused) {
  const std::string head = "presil: scenario/1\nname: t\nquestion: q?\n";
  for (const std::string& text : {head, head + kLoad, head + kLoad + "services: []\n"}) {
    EXPECT_NE(refused(serve(text)).find("nothing answers it"), std::string::npos) << text;
  }
}

TEST_F(CliServeBreak, AWrongRateIsOneComplaint) {
  for (const std::string rate : {"5", "5 s", "0 /s", "-5 /s", "1e18 /s"}) {
    const Answer a = serve(with(scenario(), "5 /s", rate));
    refused(a);
    EXPECT_EQ(a.json()["errors"].size(), 1u) << a.err;
  }
}

TEST_F(CliServeBreak, APageStaysBesideTheStore) {
  EXPECT_NE(refused(serve(with(scenario(), "name: t", "name: ../t"))).find("name"),
            std::string::npos);
  EXPECT_FALSE(fs::exists(folder_.parent_path() / "t.html"));
}

TEST_F(CliServeBreak, NamesDiffer) {
  EXPECT_NE(refused(serve(scenario(kLoad, kPool + ", " + kPool))).find("two are called 'a100"),
            std::string::npos);
  const std::string classes = "classes: [{name: x, share: 0.5}, {name: x, share: 0.5}]\n";
  EXPECT_NE(refused(serve(scenario() + classes)).find("two are called 'x'"), std::string::npos);
}

TEST_F(CliServeBreak, PoolsOfOneRoleAreRefusedWhereTheyStand) {
  const Answer a = serve(scenario(kLoad, with(kPool, "{chip", "{role: decode, chip")));
  EXPECT_NE(refused(a).find("needs one that reads prompts"), std::string::npos);
  EXPECT_EQ(a.json()["errors"][0]["line"], 8);
}

TEST_F(CliServeBreak, AComplaintAboutAPoolNamesIt) {
  const std::string two = with(kPool, "{chip", "{tensor_parallel: 2, chip");
  EXPECT_NE(refused(serve(scenario(kLoad, two))).find("service 'a', pool 'a100-sxm-80gb'"),
            std::string::npos);
  const std::string unknown = with(kPool, "{chip", "{model: llama-9, chip");
  EXPECT_NE(refused(serve(scenario(kLoad, unknown)), 3).find("service 'a', pool"),
            std::string::npos);
}

TEST_F(CliServeBreak, AnEncoderIsNoChat) {
  const Answer a = serve(with(scenario(), "smollm2-135m", "whisper-small-encoder"));
  EXPECT_NE(refused(a).find("it writes no tokens"), std::string::npos);
}

TEST_F(CliServeBreak, AModelThatDoesNotFitIsToldByHowMuch) {
  const Answer a = serve(with(scenario(), "smollm2-135m", "llama-3.1-405b"));
  EXPECT_EQ(a.status, 1);
  // 405.9 G weights x 2 B - 85.9 GB x 0.9: more than 730 GB, whatever the cache needs.
  EXPECT_NE(a.json()["no"]["reason"].get<std::string>().find(": 734.7"), std::string::npos)
      << a.json()["no"];
}

TEST_F(CliServeBreak, AnEmptyPromiseIsNoPromise) {
  refused(serve(scenario(), {"--find-max-rate", ""}));
  const std::string loop = "load: {requests: 20, closed_loop: {users: 2}, " + kLengths + "}\n";
  EXPECT_NE(refused(serve(scenario(loop), {"--find-max-rate", "p99_ttft<=2s"})).find("closed loop"),
            std::string::npos);
  const Answer both = serve(scenario(), {"--find-max-rate", "p99_ttft<=1s,p99_ttft<=1ns"});
  EXPECT_EQ(both.status, 1);
  EXPECT_NE(first_answer(both).find("p99_ttft<=1ns"), std::string::npos) << "the one that fails";
}

TEST_F(CliServeBreak, ABrokenTraceIsToldBeforeTheWork) {
  const std::string head = "arrival_ns,input_tokens,output_tokens\n";
  const std::string load = "load: {trace: ./t.csv}\n";
  for (const std::string& rows : {std::string(), head, head + "5,100,0\n", head + "1,2\n",
                                  std::string(3000, '\0'), std::string("\x1f\x8b\x08\xff")}) {
    std::ofstream(folder_ / "t.csv", std::ios::binary) << rows;
    const Answer a = serve(scenario(load));
    refused(a);
    EXPECT_EQ(a.json()["errors"][0]["file"], "./t.csv");
    EXPECT_GE(a.json()["errors"][0]["line"], 1);
  }
  std::ofstream(folder_ / "t.csv") << head << "5,100,20\n4,100,20\n";
  const Answer back = serve(scenario(load));
  EXPECT_NE(refused(back).find("is before 5"), std::string::npos);
  EXPECT_EQ(back.json()["errors"][0]["line"], 3);
}

TEST_F(CliServeBreak, NobodyAnsweredIsSaidSo) {
  const Answer a = serve(with(scenario(), "fixed: 100", "fixed: 1000"));
  EXPECT_EQ(a.status, 0) << a.err;
  EXPECT_EQ(first_answer(a),
            "a answers nobody: 20 of 20 requests are refused (20 longer than the context or the "
            "KV cache).");
  const Answer one = serve(with(scenario(), "output: {fixed: 20}", "output: {fixed: 1}"));
  EXPECT_NE(first_answer(one).find("no further one is asked for"), std::string::npos);
  const std::string none = "load: {duration: 1 ns, rate: 5 /s, " + kLengths + "}\n";
  EXPECT_NE(refused(serve(scenario(none))).find("no request comes"), std::string::npos);
}

TEST_F(CliServeBreak, ABrokenPromiseToAClassIsSaid) {
  const Answer a = serve(scenario() +
                         "classes: [{name: x, share: 0.5, slo: [p99_ttft<=1s]}, "
                         "{name: y, share: 0.5, slo: [p99_ttft<=1us]}]\n");
  EXPECT_NE(first_answer(a).find("broken: y's p99_ttft<=1us"), std::string::npos);
}

TEST_F(CliServeBreak, ADeviceNeedsWorkAndHoldsItsModel) {
  std::string text = presil::testing::contents(kHome / "scenarios/headset.yaml");
  text.resize(text.find("\nsources:") + 1);
  const std::size_t load = text.find("load:");
  std::string idle = text;
  idle.erase(load, text.find("device:") - load);
  EXPECT_NE(refused(serve(idle)).find("it needs a load"), std::string::npos);
  EXPECT_EQ(serve(with(text, "smollm2-135m", "llama-3.1-405b")).status, 1);
  refused(serve(with(text, "ambient: 25 C", "ambient: -300 C")));

  const Answer empty = serve(with(text, "18.9 Wh", "18.9 Wh, charge: 0"));
  EXPECT_EQ(empty.status, 0) << empty.err;
  EXPECT_EQ(first_answer(empty).find("nan"), std::string::npos) << first_answer(empty);
}

TEST_F(CliServeBreak, AFleetNeedsItsServices) {
  std::string text = presil::testing::contents(kHome / "scenarios/fleet-350k.yaml");
  text.resize(text.find("\nsources:") + 1);
  const std::size_t load = text.find("load:");
  std::string alone = text;
  alone.erase(load, text.find("fleet:\n") - load);
  EXPECT_NE(refused(serve(alone)).find("it needs a load"), std::string::npos);
  EXPECT_NE(refused(serve(with(text, "own: artemis", "own: h100"))).find("same service"),
            std::string::npos);
}

TEST_F(CliServeBreak, NoFolderForThePageIsToldAtOnce) {
  EXPECT_NE(refused(serve(scenario(), {"--store", "/proc/none/runs.sqlite"})).find("--store"),
            std::string::npos);
}

TEST_F(CliServeBreak, CtrlCStopsAServiceWithoutEnd) {
  const std::string load = "load: {requests: 1000000000000, rate: 100 /s, " + kLengths + "}\n";
  std::ofstream(folder_ / "s.yaml") << scenario(load);
  const pid_t child = start({"serve", "s.yaml", "--json"});
  std::this_thread::sleep_for(std::chrono::seconds(4));
  kill(child, SIGINT);
  EXPECT_EQ(refused(finish(child), 130), "interrupted\n");
  EXPECT_FALSE(fs::exists(folder_ / "out" / "t.html"));
}

TEST_F(CliServeBreak, TwoRunsAtOnceWriteOnePage) {
  std::ofstream(folder_ / "s.yaml") << scenario();
  const pid_t first = start({"serve", "s.yaml", "--json", "--no-host"});
  const pid_t second = start({"serve", "s.yaml", "--json", "--no-host"});
  EXPECT_EQ(finish(first).status, 0);
  EXPECT_EQ(finish(second).status, 0);
  EXPECT_TRUE(fs::exists(folder_ / "out" / "t.html"));
}

TEST_F(CliServeBreak, ShippedScenariosAndRadiosAreChecked) {
  Arguments files = {"check"};
  for (const std::string folder : {"scenarios", "radios"}) {
    for (const auto& file : fs::directory_iterator(kHome / folder)) files.push_back(file.path());
  }
  const Answer a = presil(files);
  EXPECT_EQ(a.status, 0) << a.err;
  for (const std::string kind : {"scenario", "radio"}) {
    EXPECT_EQ(presil({"schema", kind}).json()["title"], kind);
  }
}

}  // namespace

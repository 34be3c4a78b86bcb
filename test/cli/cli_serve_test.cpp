// `presil serve` as a user meets it: what is refused and where, in small services of the test's
// own.
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "cli.h"

namespace {

using presil::testing::Answer;
using presil::testing::Cli;
using presil::testing::Json;

using Arguments = std::vector<std::string>;

/// A model of 135 million weights on one A100, asked what trace.csv says.
constexpr const char* kSmall = R"(presil: scenario/1
name: small
question: Does it answer?
model: smollm2-135m
load: {trace: trace.csv}
slo: [p99_ttft<=2s]
services:
  - name: one
    pools:
      - {chip: a100-sxm-80gb, engine: {max_model_len: 512, max_num_batched_tokens: 128, max_num_seqs: 4}}
)";

class Serve : public Cli {
 protected:
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name) << text;
  }

  /// The small service with `from` replaced by `to`, and a trace of these lines.
  std::string small(const std::string& lines, const std::string& from = "",
                    const std::string& to = "") const {
    std::string text = kSmall;
    if (!from.empty()) text.replace(text.find(from), from.size(), to);
    write("small.yaml", text);
    write("trace.csv", "TIMESTAMP,ContextTokens,GeneratedTokens\n" + lines);
    return "small.yaml";
  }

  void refuses(const Answer& a, const std::string& where, const std::string& what) const {
    EXPECT_EQ(a.status, 2) << a.err;
    EXPECT_NE(a.err.find(where), std::string::npos) << a.err;
    EXPECT_NE(a.err.find(what), std::string::npos) << a.err;
  }
};

TEST_F(Serve, ABadLineOfATraceIsShownWhereItStands) {
  refuses(presil({"serve", small("2023-11-16 18:17:03.9,100,4\n2023-11-16 18:17:04.9,100,x\n")}),
          "trace.csv:3:", "expected a whole number");
  refuses(presil({"serve", small("2023-11-16 18:17:03.9,100,4\n2023-11-16 18:17:02.9,100,4\n")}),
          "trace.csv:3:", "before");
}

TEST_F(Serve, AKeyThatNobodyKnowsHasTheNearestNextToIt) {
  const std::string trace = "2023-11-16 18:17:03.9,100,4\n";
  refuses(presil({"serve", small(trace, "slo:", "sloo:")}), "small.yaml:6:1",
          "did you mean 'slo'?");
  refuses(presil({"serve", small(trace, "max_num_seqs", "max_num_seq")}),
          "small.yaml:10:", "did you mean 'max_num_seqs'?");
  const Answer missing = presil({"serve", "fleet-350"});
  EXPECT_EQ(missing.status, 3);
  EXPECT_NE(missing.err.find("did you mean 'fleet-350k'?"), std::string::npos) << missing.err;
}

TEST_F(Serve, APromiseThatNoRateKeepsIsNamed) {
  const Arguments asked = {"serve",
                           small("2023-11-16 18:17:03.9,100,4\n2023-11-16 18:17:04.9,200,9\n"),
                           "--json", "--find-max-rate", "p99_ttft<=1us,p99_tpot<=5s"};
  const Answer a = presil(asked);
  EXPECT_EQ(a.status, 1) << a.err;
  const Json json = a.json();
  const auto reason = json["no"]["reason"].get<std::string>();
  EXPECT_NE(reason.find("p99_ttft<=1us"), std::string::npos) << reason;
  EXPECT_EQ(reason.find("p99_tpot"), std::string::npos) << "that one is kept: " << reason;
}

TEST_F(Serve, ARequestLongerThanItsContextIsRejectedAndCounted) {
  const Answer a = presil(
      {"serve", small("2023-11-16 18:17:03.9,100,4\n2023-11-16 18:17:04.9,600,9\n"), "--json"});
  ASSERT_EQ(a.status, 0) << a.err;
  const Json json = a.json();
  EXPECT_EQ(json["requests"], 2);
  EXPECT_EQ(json["completed"], 1);
  EXPECT_EQ(json["too_long"], 1);
  EXPECT_EQ(json["output_tokens"], 4);
}

}  // namespace

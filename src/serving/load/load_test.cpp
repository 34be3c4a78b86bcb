#include "serving/load/load.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>
#include <set>

#include <gtest/gtest.h>

#include "base/lines.h"
#include "base/testing/scratch.h"
#include "serving/load/trace.h"

namespace presil::serving {
namespace {

const std::filesystem::path kHome = PRESIL_SOURCE_DIR;
constexpr std::int64_t kSecond = 1'000'000'000;

LoadSpec load_of(const std::string& yaml) {
  const auto source = std::make_shared<const Source>(Source{"load.yaml", yaml});
  const Node root = parse_document(source, Syntax::yaml);
  Diagnostics log;
  Fields fields(root, "load", log);
  LoadSpec spec = read_load(fields);
  fields.finish();
  log.throw_if_any();
  return spec;
}

std::string complaint_about(const std::string& yaml) {
  try {
    load_of(yaml);
  } catch (const InputError& e) {
    const Diagnostic& d = e.diagnostics().front();
    return std::to_string(d.line) + ": " + d.message;
  }
  return "none";
}

/// A trace of three requests in two seconds; two of them begin alike.
std::string small_trace() {
  const auto file = presil::testing::scratch_folder() / "small.jsonl";
  std::ofstream(file)
      << R"({"timestamp": 0, "input_length": 600, "output_length": 5, "hash_ids": [1, 2]})"
         "\n"
      << R"({"timestamp": 500, "input_length": 512, "output_length": 6, "hash_ids": [1]})"
         "\n"
      << R"({"timestamp": 2000, "input_length": 9, "output_length": 7, "hash_ids": [3]})"
         "\n";
  return "trace: " + file.string() + "\n";
}

std::unique_ptr<RequestSource> source_of(const std::string& yaml, std::uint64_t seed = 1) {
  return open_load(load_of(yaml), kHome, seed);
}

/// Takes every request of a source that waits for none, and checks what all sources promise.
std::vector<Request> all_of(RequestSource& source) {
  std::vector<Request> all;
  Nanoseconds due = source.next_arrival();
  while (auto r = source.next()) {
    EXPECT_EQ(r->arrival, due);
    EXPECT_EQ(r->id, static_cast<std::int64_t>(all.size()));
    EXPECT_TRUE(all.empty() || r->arrival >= all.back().arrival);
    all.push_back(std::move(*r));
    due = source.next_arrival();
  }
  EXPECT_EQ(due, kLongestService);
  return all;
}

std::vector<Request> all_of(const std::string& yaml, std::uint64_t seed = 1) {
  return all_of(*source_of(yaml, seed));
}

TEST(Load, OfATraceIsTheTrace) {
  const auto all = all_of(small_trace());
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[1].arrival, Nanoseconds(kSecond / 2));
  EXPECT_EQ(all[1].prompt_tokens, 512);
  EXPECT_EQ(all[1].output_tokens, 6);
  EXPECT_EQ(all[1].prefix, std::vector<std::uint64_t>{1});
  EXPECT_EQ(all[1].prefix_block, 512);
  EXPECT_EQ(all[1].session, -1);
}

TEST(Load, RepeatsATraceAtItsMeanRateWithNewText) {
  const auto all = all_of(small_trace() + "repeat: 3\n");
  ASSERT_EQ(all.size(), 9U);
  // Two gaps in two seconds: the next round begins a second after the last request.
  EXPECT_EQ(all[3].arrival, Nanoseconds(3 * kSecond));
  EXPECT_EQ(all[8].arrival, Nanoseconds(8 * kSecond));
  EXPECT_EQ(all[8].output_tokens, 7);
  EXPECT_EQ(all[3].prefix[0], all[4].prefix[0]);
  std::set<std::uint64_t> names;
  for (const Request& r : all) names.insert(r.prefix.begin(), r.prefix.end());
  EXPECT_EQ(names.size(), 9U);
}

TEST(Load, RateStretchesTheTimesOfATrace) {
  const LoadSpec spec = load_of(small_trace() + "repeat: 2\n");
  EXPECT_EQ(mean_rate(spec, kHome), PerSecond(1));
  const LoadSpec fast = with_rate(spec, PerSecond(4));
  EXPECT_EQ(mean_rate(fast, kHome), PerSecond(4));
  const auto all = all_of(*open_load(fast, kHome, 1));
  EXPECT_EQ(all[1].arrival, Nanoseconds(kSecond / 8));
  EXPECT_EQ(all[5].arrival, Nanoseconds(5 * kSecond / 4));
}

TEST(Load, OfAShippedTraceHasTheRateAskedFor) {
  const auto all = all_of("trace: azure2023_conv\nrate: 20 /s\n");
  ASSERT_EQ(all.size(), 19366U);
  EXPECT_NEAR(19365 / to_seconds(all.back().arrival).count(), 20, 1e-6);
}

TEST(Load, EndsWithItsRequestsOrItsDuration) {
  EXPECT_EQ(all_of(small_trace() + "repeat: 9\nrequests: 4\n").size(), 4U);
  EXPECT_EQ(all_of(small_trace() + "repeat: 9\nduration: 3 s\n").size(), 3U);
  EXPECT_EQ(all_of(small_trace() + "requests: 100\n").size(), 3U);
  // Of the first two requests alone the rate is one gap in half a second.
  EXPECT_EQ(mean_rate(load_of(small_trace() + "requests: 2\n"), kHome), PerSecond(2));
}

TEST(Load, OfATraceMayHaveArrivalsOfItsOwn) {
  const std::string lengths = "trace: arxiv_summarization_lengths\nrequests: 1000\n";
  EXPECT_THROW(source_of(lengths), InputError);
  const auto all = all_of(lengths + "rate: 4 /s\n");
  EXPECT_EQ(all[0].prompt_tokens, 3772);
  EXPECT_EQ(all[1].output_tokens, 156);
  EXPECT_NEAR(1000 / to_seconds(all.back().arrival).count(), 4, 5 * 4 / std::sqrt(1000));
  const auto even = all_of(small_trace() + "arrivals: {process: constant, rate: 2 /s}\n");
  EXPECT_EQ(even[2].arrival, Nanoseconds(kSecond));
  EXPECT_EQ(even[2].prefix, std::vector<std::uint64_t>{3});
  // Without a rate, at the trace's own.
  EXPECT_EQ(all_of(small_trace() + "arrivals: {process: constant}\n")[2].arrival,
            Nanoseconds(2 * kSecond));
}

constexpr const char* kDrawn =
    "lengths: {prompt: {lognormal: {p50: 300, p99: 3000}}, output: {fixed: 9}}\n"
    "requests: 2000\n";

TEST(Load, ThatIsDrawnDependsOnTheSeedOnly) {
  const std::string yaml = std::string(kDrawn) + "rate: 3 /s\n";
  const auto one = all_of(yaml, 1);
  const auto again = all_of(yaml, 1);
  const auto other = all_of(yaml, 2);
  ASSERT_EQ(one.size(), 2000U);
  bool differs = false;
  for (std::size_t i = 0; i < one.size(); ++i) {
    EXPECT_EQ(one[i].arrival, again[i].arrival);
    EXPECT_EQ(one[i].prompt_tokens, again[i].prompt_tokens);
    EXPECT_EQ(one[i].output_tokens, 9);
    differs = differs || one[i].prompt_tokens != other[i].prompt_tokens;
  }
  EXPECT_TRUE(differs);
  EXPECT_EQ(mean_rate(load_of(yaml), kHome), PerSecond(3));
}

TEST(Load, ThatIsDrawnIsTheSameOnEveryMachine) {
  const auto all = all_of(std::string(kDrawn) + "arrivals: {process: gamma, cv: 2, rate: 3 /s}\n");
  // As written once; a second program from the same description gave the same.
  EXPECT_EQ(all[0].arrival.count(), 1'128'872'517);
  EXPECT_EQ(all[0].prompt_tokens, 60);
  EXPECT_EQ(all[1999].arrival.count(), 645'668'315'656);
  EXPECT_EQ(all[1999].prompt_tokens, 643);
}

TEST(Load, DrawnFromOneFileKeepsPromptAndOutputTogether) {
  const auto file = presil::testing::scratch_folder() / "pairs.csv";
  std::ofstream(file) << "num_prefill_tokens,num_decode_tokens\n10,1\n20,2\n30,3\n";
  const std::string from = "{empirical: " + file.string() + "}";
  for (const Request& r : all_of("lengths: {prompt: " + from + ", output: " + from +
                                 "}\nrequests: 100\nrate: 1 /s\n")) {
    EXPECT_EQ(r.prompt_tokens, 10 * r.output_tokens);
  }
}

TEST(Load, SharedPrefixesAreOfAFewGroups) {
  const auto all =
      all_of(std::string(kDrawn) + "rate: 3 /s\nshared_prefix: {tokens: 100, groups: 4}\n");
  std::set<std::vector<std::uint64_t>> texts;
  for (const Request& r : all) {
    EXPECT_GT(r.prompt_tokens, 100);
    EXPECT_EQ(r.prefix.size(), 6U);  // whole blocks of 16
    EXPECT_EQ(r.prefix_block, 16);
    texts.insert(r.prefix);
  }
  EXPECT_EQ(texts.size(), 4U);
}

TEST(Load, OfUsersWaitsForTheirAnswers) {
  const auto source = source_of(std::string(kDrawn) + "closed_loop: {users: 2}\n");
  const Request first = *source->next();
  const Request second = *source->next();
  EXPECT_EQ(first.arrival, Nanoseconds(0));
  EXPECT_EQ(second.arrival, Nanoseconds(0));
  EXPECT_EQ(source->next_arrival(), kLongestService);
  EXPECT_FALSE(source->next());

  source->ended(second, Nanoseconds(70));
  EXPECT_EQ(source->next_arrival(), Nanoseconds(70));
  EXPECT_EQ(source->next()->id, 2);
  EXPECT_EQ(source->next_arrival(), kLongestService);
}

TEST(Load, OfUsersThinksForTheirMeanTime) {
  const auto source = source_of(std::string(kDrawn) + "closed_loop: {users: 1, think_time: 2 s}\n");
  Nanoseconds thought;
  Nanoseconds ended;
  int requests = 0;
  while (const auto r = source->next()) {
    thought += r->arrival - ended;
    ended = r->arrival + Nanoseconds(kSecond);
    ++requests;
    source->ended(*r, ended);
  }
  EXPECT_EQ(requests, 2000);
  EXPECT_NEAR(to_seconds(thought).count() / 1999, 2, 5 * 2 / std::sqrt(1999));
}

TEST(Load, OfUsersTakesATraceInItsOrder) {
  const auto source = source_of(small_trace() + "closed_loop: {users: 1}\n");
  std::vector<std::int64_t> outputs;
  while (const auto r = source->next()) {
    outputs.push_back(r->output_tokens);
    source->ended(*r, r->arrival + Nanoseconds(5));
  }
  EXPECT_EQ(outputs, (std::vector<std::int64_t>{5, 6, 7}));
}

/// Serves every request in `time`, in order, and returns the conversations.
std::map<std::int64_t, std::vector<Request>> served(const std::string& yaml, Nanoseconds time) {
  const auto source = source_of(yaml);
  std::multimap<Nanoseconds, Request> at_work;
  std::map<std::int64_t, std::vector<Request>> conversations;
  for (;;) {
    const Nanoseconds arrival = source->next_arrival();
    if (!at_work.empty() && at_work.begin()->first <= arrival) {
      const auto done = at_work.begin();
      Request ended;  // the id is all that a source may need
      ended.id = done->second.id;
      source->ended(ended, done->first);
      at_work.erase(done);
    } else if (const auto r = source->next()) {
      at_work.emplace(r->arrival + time, *r);
      conversations[r->session].push_back(*r);
    } else {
      return conversations;
    }
  }
}

TEST(Load, OfConversationsGrows) {
  const std::string yaml = std::string(kDrawn) +
                           "rate: 3 /s\nsessions: {turns: 4, think_time: 10 s}\n"
                           "shared_prefix: {tokens: 64}\n";
  const auto conversations = served(yaml, Nanoseconds(kSecond));
  EXPECT_GT(conversations.size(), 480U);
  for (const auto& [session, turns] : conversations) {
    EXPECT_GE(session, 0);
    EXPECT_LE(turns.size(), 4U);
    for (std::size_t i = 1; i < turns.size(); ++i) {
      const Request& before = turns[i - 1];
      EXPECT_GE(turns[i].arrival, before.arrival + Nanoseconds(kSecond));
      EXPECT_GT(turns[i].prompt_tokens, before.prompt_tokens + before.output_tokens);
      // The prompt before is the beginning of this one.
      EXPECT_EQ(before.prefix.size(), static_cast<std::size_t>(before.prompt_tokens / 16));
      EXPECT_TRUE(std::equal(before.prefix.begin(), before.prefix.end(), turns[i].prefix.begin()));
    }
  }
  const auto& a = conversations.at(0).front().prefix;
  const auto& b = conversations.at(1).front().prefix;
  EXPECT_TRUE(std::equal(a.begin(), a.begin() + 4, b.begin()));  // 64 tokens that all begin with
  EXPECT_NE(a.at(4), b.at(4));
}

TEST(Load, OfConversationsIsTheSameHoweverFastTheyAreServed) {
  const std::string yaml = std::string(kDrawn) + "rate: 3 /s\nsessions: {turns: 3}\n";
  const auto fast = served(yaml, Nanoseconds(1));
  const auto slow = served(yaml, Nanoseconds(20 * kSecond));
  for (std::int64_t session = 0; session < 100; ++session) {
    for (std::size_t turn = 0; turn < 3; ++turn) {
      EXPECT_EQ(fast.at(session).at(turn).prompt_tokens, slow.at(session).at(turn).prompt_tokens);
      EXPECT_EQ(fast.at(session).at(turn).prefix, slow.at(session).at(turn).prefix);
    }
  }
}

TEST(Load, OfConversationsOfUsersHasOneRequestAUser) {
  const std::string yaml =
      std::string(kDrawn) + "closed_loop: {users: 5, think_time: 1 s}\nsessions: {turns: 3}\n";
  std::int64_t requests = 0;
  std::vector<std::pair<Nanoseconds, int>> changes;
  for (const auto& [session, turns] : served(yaml, Nanoseconds(kSecond))) {
    for (const Request& r : turns) {
      ++requests;
      changes.emplace_back(r.arrival, 1);
      changes.emplace_back(r.arrival + Nanoseconds(kSecond), -1);
    }
  }
  EXPECT_EQ(requests, 2000);
  std::sort(changes.begin(), changes.end());
  int at_work = 0;
  for (const auto& [at, change] : changes) {
    at_work += change;
    EXPECT_LE(at_work, 5);
  }
}

TEST(Load, WhatContradictsItselfIsRefused) {
  const std::string drawn = kDrawn;
  const std::string rest = "requests: 5\nrate: 1 /s\n";
  EXPECT_EQ(complaint_about("rate: 3 /s\n"), "1: load.lengths: expected either a trace or lengths");
  EXPECT_EQ(complaint_about("trace: a\n" + drawn + "rate: 3 /s\n"),
            "1: load.trace: expected either a trace or lengths");
  EXPECT_EQ(complaint_about(drawn), "1: load.rate: expected a rate such as \"5 /s\"");
  EXPECT_EQ(complaint_about("lengths: {prompt: {fixed: 1}, output: {fixed: 1}}\nrate: 3 /s\n"),
            "1: load.requests: expected how many, or drawn requests never end");
  EXPECT_EQ(complaint_about("trace: a\nrate: 3 /s\nclosed_loop: {users: 3}\n"),
            "2: load.rate: the rate of a closed loop is the service's");
  EXPECT_EQ(complaint_about("trace: a\nsessions: {turns: 3}\n"),
            "2: load.sessions: a trace has its own prompts");
  EXPECT_EQ(complaint_about(drawn + "repeat: 2\nrate: 3 /s\n"),
            "3: load.repeat: there is no trace to repeat");
  EXPECT_EQ(complaint_about("trace: a\nrate: 3 /s\narrivals: {rate: 3 /s}\n"),
            "2: load.rate: stands in arrivals already");
  EXPECT_EQ(complaint_about("trace: a\narrivals: {rate: 3 /s, cv: 3}\n"),
            "2: load.arrivals.cv: this process has no such thing");
  EXPECT_EQ(complaint_about("trace: a\narrivals: {process: burst, rate: 3 /s, length: 2 d}\n"),
            "2: load.arrivals.length: expected less than the period");
  EXPECT_EQ(complaint_about("trace: a\nrate: 2000000 /s\n"),
            "2: load.rate: expected a rate from 1e-6 /s to 1e6 /s");
  EXPECT_EQ(complaint_about("lengths: {prompt: {fixed: 0}, output: {fixed: 1}}\n" + rest),
            "1: load.lengths.prompt.fixed: expected a whole number from 1 to 1000000, found 0");
  EXPECT_EQ(complaint_about("lengths: {prompt: {}, output: {fixed: 1}}\n" + rest),
            "1: load.lengths.prompt.fixed: expected one of fixed, lognormal, empirical");
  EXPECT_EQ(complaint_about("lengths: {prompt: {lognormal: {mean: 5, sigma: 1, p50: 3, p99: 9}}, "
                            "output: {fixed: 1}}\n" +
                            rest),
            "1: load.lengths.prompt.lognormal.p50: expected mean and sigma, or p50 and p99");
  EXPECT_EQ(complaint_about("trace: a\nwarm_upp: 1 s\n"),
            "2: unknown key 'warm_upp' in load; did you mean 'warm_up'?");
}

TEST(Load, TheExamplesOfTheManualAreRead) {
  Lines manual(kHome / "docs" / "loads.md");
  std::string block;
  bool inside = false;
  int examples = 0;
  while (const auto line = manual.next()) {
    if (inside && *line == "```") {
      ++examples;
      EXPECT_NO_THROW(source_of(block)) << block;
    }
    if (line->starts_with("```")) {
      inside = *line == "```yaml";
      block.clear();
    } else if (inside && !line->starts_with("load:")) {
      block += std::string(*line) + "\n";
    }
  }
  EXPECT_EQ(examples, 4);
}

TEST(Load, DescribesItsFields) {
  Schema schema;
  Fields fields(schema);
  read_load(fields);
  std::set<std::string> names;
  for (const Schema& field : schema.fields) names.insert(field.name);
  EXPECT_EQ(names, (std::set<std::string>{"arrivals", "closed_loop", "duration", "lengths", "rate",
                                          "repeat", "requests", "sessions", "shared_prefix",
                                          "trace", "warm_up"}));
}

TEST(Load, HasNoRateOfItsOwnInAClosedLoop) {
  const LoadSpec spec = load_of(small_trace() + "closed_loop: {users: 3}\n");
  EXPECT_THROW(mean_rate(spec, kHome), InputError);
  EXPECT_THROW(with_rate(spec, PerSecond(1)), InputError);
}

TEST(Load, OfATraceThatComesAllAtOnceHasNoRateToStretch) {
  const auto file = presil::testing::scratch_folder() / "at_once.csv";
  std::ofstream(file) << "arrival_ns,input_tokens,output_tokens\n5,1,1\n5,1,1\n";
  const std::string yaml = "trace: " + file.string() + "\n";
  EXPECT_EQ(all_of(yaml + "repeat: 2\n").back().arrival, Nanoseconds(0));
  EXPECT_THROW(source_of(yaml + "rate: 5 /s\n"), InputError);
}

}  // namespace
}  // namespace presil::serving

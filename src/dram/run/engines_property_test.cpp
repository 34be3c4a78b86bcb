// One truth: the engines agree to the last command on whatever is drawn (testing/drawn_case.h).
//
// RC_PARAMS="max_success=10000" draws more and other cases than the fixed ones of every day; a
// failure prints the case, and the seed to draw it again.
#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

#include "base/testing/scratch.h"
#include "base/testing/unless_sanitized.h"
#include "dram/address_map.h"
#include "dram/check/checker.h"
#include "dram/testing/drawn_case.h"
#include "dram/timing.h"

namespace presil::dram {
namespace {

using testing::Case;

using Log = std::vector<LoggedCommand>;

/// The case's trace as a file, as long as this lives.
class TraceFile {
 public:
  explicit TraceFile(Case& drawn) : path_(presil::testing::scratch_folder() / "drawn.trace") {
    std::ofstream file(path_);
    testing::write_trace(drawn, file);
    drawn.input.workload.trace = path_;
  }
  TraceFile(const TraceFile&) = delete;
  TraceFile& operator=(const TraceFile&) = delete;
  ~TraceFile() { std::filesystem::remove(path_); }

 private:
  std::filesystem::path path_;
};

SimulationResult result_of(const Case& drawn, Engine engine) {
  SimulationInput input = drawn.input;
  input.engine = engine;
  return simulate(input);
}

/// By channel.
std::vector<Log> logs_of(const Case& drawn, Engine engine) {
  std::vector<Log> logs(static_cast<std::size_t>(drawn.input.channels));
  SimulationInput input = drawn.input;
  input.engine = engine;
  input.log = [&](int channel, const LoggedCommand& command) {
    logs[static_cast<std::size_t>(channel)].push_back(command);
  };
  simulate(input);
  return logs;
}

std::string text_of(const LoggedCommand& c) {
  return fmt::format("{} {} {} {} {}", c.tick, c.pseudo_channel, to_string(c.command), c.bank,
                     c.row);
}

/// Where two logs part; "" if they do not.
std::string first_difference(const std::vector<Log>& plain, const std::vector<Log>& other) {
  for (std::size_t channel = 0; channel < plain.size(); ++channel) {
    const Log &a = plain[channel], &b = other[channel];
    for (std::size_t i = 0; i < std::max(a.size(), b.size()); ++i) {
      if (i < a.size() && i < b.size() && a[i] == b[i]) continue;
      const std::string before = i == 0 ? "the start" : text_of(a[i - 1]);
      return fmt::format("channel {}, command {}, after {}: reference {}, event {}", channel, i,
                         before, i < a.size() ? text_of(a[i]) : "ends",
                         i < b.size() ? text_of(b[i]) : "ends");
    }
  }
  return "";
}

std::map<Tick, std::int64_t> buckets_of(const LatencyHistogram& latency) {
  std::map<Tick, std::int64_t> buckets;
  latency.for_each([&](Tick from, std::int64_t count) { buckets[from] = count; });
  return buckets;
}

/// What differs between two results, in words. Why the data bus stood idle is the event engine's
/// and the fast one's to say.
std::vector<std::string> differences(const SimulationResult& a, const SimulationResult& b,
                                     bool with_gaps) {
  std::vector<std::string> found;
  const auto expect = [&](const char* what, bool equal) {
    if (!equal) found.emplace_back(what);
  };
  expect("ticks", a.ticks == b.ticks);
  expect("atoms", a.atoms == b.atoms && a.bytes == b.bytes && a.ecc_atoms == b.ecc_atoms);
  expect("commands", a.counts.commands == b.counts.commands);
  expect("row hits", a.counts.hits == b.counts.hits);
  expect("row misses", a.counts.misses == b.counts.misses);
  expect("row conflicts", a.counts.conflicts == b.counts.conflicts);
  expect("idle time", !with_gaps || a.counts == b.counts);
  expect("banks", a.banks == b.banks);
  expect("latency", buckets_of(a.latency) == buckets_of(b.latency) &&
                        a.latency.mean() == b.latency.mean() && a.latency.max() == b.latency.max());
  expect("log hash", a.log_hash == b.log_hash);
  return found;
}

/// Where the engines part; "" if they do not.
std::string disagreement(const Case& drawn, bool& jumped) {
  const SimulationResult plain = result_of(drawn, Engine::reference);
  const SimulationResult event = result_of(drawn, Engine::event);
  if (const auto found = differences(plain, event, false); !found.empty()) {
    return fmt::format(
        "event differs in {}: {}", fmt::join(found, ", "),
        first_difference(logs_of(drawn, Engine::reference), logs_of(drawn, Engine::event)));
  }
  const SimulationResult fast = result_of(drawn, Engine::fast);
  jumped = !fast.shortcuts.empty() && fast.shortcuts[0] == "whole periods jumped";
  if (const auto found = differences(event, fast, true); !found.empty()) {
    return fmt::format("fast ({}) differs in {}; ticks {} and {}", fmt::join(fast.shortcuts, ", "),
                       fmt::join(found, ", "), event.ticks, fast.ticks);
  }
  return "";
}

/// What the checker finds first in the logs, or in a channel's requests that were not served once
/// each; "" for nothing.
std::string illegality(const Case& drawn, const std::vector<Log>& logs) {
  const SimulationInput& in = drawn.input;
  Checker checker(in.part, in.config.rate, static_cast<int>(in.channels));
  for (std::size_t channel = 0; channel < logs.size(); ++channel) {
    for (const LoggedCommand& command : logs[channel]) {
      checker.check(static_cast<int>(channel), command);
    }
  }
  checker.finish();
  for (const Violation& v : checker.violations().kept()) {
    // A controller that cannot keep up with its refreshes is lawful but for these.
    if (v.rule == Rule::tREFI || v.rule == Rule::refresh_rate) continue;
    return fmt::format("{}: {} after {}, needs {}", to_string(v.rule), text_of(v.second),
                       v.first ? text_of(*v.first) : "the start", v.required);
  }
  return "";
}

/// RD and WR by channel, pseudo-channel, bank, row and direction.
using Accesses = std::map<std::tuple<int, int, int, int, bool>, std::int64_t>;

/// What the workload asks for, address by address; codes not counted.
Accesses asked_for(const Case& drawn) {
  const SimulationInput& in = drawn.input;
  const MemoryPart part = without_codes(in.part, in.config.ecc);
  const AddressMap map(part.mapping, part);
  const std::int64_t atom = part.atom().count(), pcs = part.pseudo_channels;
  BlockStream blocks(in.workload, map.atoms() * atom * pcs * in.channels, atom, 1, 1);
  Accesses asked;
  for (Block block; blocks.next(block);) {
    const std::int64_t line = block.address / kInterleaveLine;
    const std::int64_t first =
        (line / in.channels / pcs * kInterleaveLine + block.address % kInterleaveLine) / atom;
    for (std::int64_t i = 0; i < block.atoms; ++i) {
      const Location at = map.locate(first + i);
      const auto channel = static_cast<int>(line % in.channels);
      const auto pc = static_cast<int>(line / in.channels % pcs);
      ++asked[{channel, pc, at.bank, at.row, block.write}];
    }
  }
  return asked;
}

/// Every request is served once; "" when it is.
std::string loss(const Case& drawn, const std::vector<Log>& logs) {
  Accesses left = asked_for(drawn);
  std::int64_t unasked = 0;  // codes
  for (std::size_t channel = 0; channel < logs.size(); ++channel) {
    for (const LoggedCommand& c : logs[channel]) {
      if (!is_column(c.command)) continue;
      std::int64_t& count = left[{static_cast<int>(channel), c.pseudo_channel, c.bank, c.row,
                                  c.command == Command::WR}];
      --count;
      unasked += count < 0;
    }
  }
  for (const auto& [at, count] : left) {
    if (count > 0) return fmt::format("{} requests of row {} are lost", count, std::get<3>(at));
  }
  const std::int64_t codes = result_of(drawn, Engine::event).ecc_atoms;
  if (unasked == codes) return "";
  return fmt::format("{} accesses more than asked for, {} of them to codes", unasked, codes);
}

/// Every day the same cases, unless others are asked for.
void draw_the_same_cases(int how_many) {
  ::setenv("RC_PARAMS", fmt::format("seed=2026 max_success={}", how_many).c_str(), 0);
}

TEST(Engines, AgreeOnWhateverIsDrawn) {
  draw_the_same_cases(unless_sanitized(120, 30));
  int tried = 0, jumps = 0;
  const bool agree = rc::check("engines agree, lawfully", [&] {
    Case drawn = *testing::cases();
    const TraceFile trace(drawn);
    bool jumped = false;
    if (const std::string found = disagreement(drawn, jumped); !found.empty()) RC_FAIL(found);
    const std::vector<Log> logs = logs_of(drawn, Engine::event);
    if (const std::string found = illegality(drawn, logs); !found.empty()) RC_FAIL(found);
    if (const std::string found = loss(drawn, logs); !found.empty()) RC_FAIL(found);
    ++tried;
    jumps += jumped;
  });
  EXPECT_TRUE(agree);
  EXPECT_GT(jumps * 10, tried) << "too few cases show a period";
}

TEST(Engines, ARuleThatTheEventEngineForgetsIsFound) {
  using enum Command;
  const std::vector<TimingRule> wanted = {
      {Scope::bank, ACT, RD},        {Scope::bank, PREpb, ACT},
      {Scope::bank, WR, PREpb},      {Scope::bank_group, RD, RD},
      {Scope::bank_group, WR, RD},   {Scope::pseudo_channel, RD, WR},
      {Scope::bank, REFpb, ACT},     {Scope::pseudo_channel, REFab, ACT},
      {Scope::bank_group, ACT, ACT}, {Scope::pseudo_channel, ACT, ACT, 0, 4}};
  const MemoryPart& part = testing::shipped_parts().front();
  const std::vector<TimingRule> rules = timing_rules(part, part.rate);
  for (const TimingRule& rule : wanted) {
    const auto at = std::find_if(rules.begin(), rules.end(), [&](const TimingRule& r) {
      return r.scope == rule.scope && r.from == rule.from && r.to == rule.to &&
             r.window == rule.window;
    });
    ASSERT_NE(at, rules.end());
    bool found = false;
    for (std::uint64_t seed = 1; seed <= 100 && !found; ++seed) {
      Case drawn = testing::cases()(rc::Random(seed)).value();
      drawn.input.skipped_rule = static_cast<int>(at - rules.begin());
      const TraceFile trace(drawn);
      bool jumped = false;
      found = !disagreement(drawn, jumped).empty();
    }
    EXPECT_TRUE(found) << to_string(rule.from) << " to " << to_string(rule.to);
  }
}

}  // namespace
}  // namespace presil::dram

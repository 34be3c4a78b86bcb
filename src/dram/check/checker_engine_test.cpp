// The checker on the logs of an engine: it finds nothing in them, and a fault planted in the engine
// it does find.
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/testing/unless_sanitized.h"
#include "chip/library.h"
#include "dram/address_map.h"
#include "dram/check/checker.h"
#include "dram/event/channel.h"
#include "dram/timing.h"

namespace presil::dram {
namespace {

const std::string kRoot = PRESIL_SOURCE_DIR;

using Log = std::vector<LoggedCommand>;

struct Scenario {
  std::string name;
  Policy policy;
};

std::vector<Scenario> scenarios() {
  std::vector<Scenario> all;
  const std::map<Refresh, std::string> refreshes = {
      {Refresh::off, "off"}, {Refresh::all_bank, "all_bank"}, {Refresh::per_bank, "per_bank"}};
  const std::map<PagePolicy, std::string> pages = {{PagePolicy::open, "open"},
                                                   {PagePolicy::closed, "closed"},
                                                   {PagePolicy::adaptive, "adaptive"}};
  for (const auto& [refresh, refresh_name] : refreshes) {
    for (const auto& [page, page_name] : pages) {
      Policy policy;
      policy.refresh = refresh;
      policy.page = page;
      all.push_back({"refresh " + refresh_name + ", page " + page_name, policy});
    }
    Policy policy;
    policy.refresh = refresh;
    // Not 8: a run of reads can hold up an active write, and with it the refresh of its bank, for
    // some microseconds more.
    policy.controller.postpone = 4;
    all.push_back({"refresh " + refresh_name + ", postponed", policy});
    policy.controller = {};
    policy.controller.rfm_threshold = 6;
    all.push_back({"refresh " + refresh_name + ", RFM", policy});
    policy.controller = {};
    policy.controller.scheduler = Scheduler::fcfs;
    policy.hot = true;
    all.push_back({"refresh " + refresh_name + ", FCFS, hot", policy});
  }
  return all;
}

/// The log of sequential runs and random places, a third of them writes, with a pause now and then.
Log engine_log(const MemoryPart& part, BitsPerSecond rate, const Policy& policy, int atoms,
               int skipped_rule = -1) {
  const AddressMap map(part.mapping, part);
  Channel channel(part, rate, policy, skipped_rule);
  Log log;
  channel.log_to(&log);
  std::uint64_t bits = 88172645463325252;
  const auto draw = [&](std::int64_t n) {
    bits ^= bits << 13, bits ^= bits >> 7, bits ^= bits << 17;
    return static_cast<std::int64_t>((bits >> 20) % static_cast<std::uint64_t>(n));
  };
  struct Run {
    std::int64_t at = 0, left = 0;
    Tick from = 0;
    bool write = false;
  };
  std::vector<Run> runs(static_cast<std::size_t>(channel.pseudo_channels()));
  for (int sent = 0, served = 0; served < atoms;) {
    for (int pc = 0; pc < channel.pseudo_channels(); ++pc) {
      Run& run = runs[static_cast<std::size_t>(pc)];
      if (run.left == 0) {
        const std::int64_t kind = draw(8);
        run.left = kind == 0 ? 500 : kind < 6 ? 2 : 1;
        run.at = draw(map.atoms() - 500);
        run.write = draw(3) == 0;
        if (draw(40) == 0) run.from = channel.now() + draw(3000);
      }
      if (sent < atoms && channel.now() >= run.from && channel.has_room(pc, run.write)) {
        channel.accept(pc, map.locate(run.at++), run.write, static_cast<std::uint32_t>(sent++));
        --run.left;
      }
    }
    served += channel.step().any ? 1 : 0;
  }
  return log;
}

Checker checked(const MemoryPart& part, BitsPerSecond rate, const Log& log) {
  Checker checker(part, rate, 1);
  for (const LoggedCommand& command : log) checker.check(0, command);
  checker.finish();
  return checker;
}

std::string first_of(const Checker& checker) {
  if (checker.violations().count() == 0) return "";
  const Violation& v = checker.violations().kept().front();
  return std::string(to_string(v.rule)) + " at " + std::to_string(v.second.tick) + ", needs " +
         std::to_string(v.required) + ", found " + std::to_string(v.found);
}

TEST(CheckerOnEngine, FindsNothingInItsLogs) {
  for (const std::string& name : names_in(kRoot + "/memories")) {
    const MemoryPart part = load_part(name, {}, kRoot);
    for (const Scenario& scenario : scenarios()) {
      for (const double share : {1.0, 0.6}) {
        const BitsPerSecond rate(part.rate.count() * share);
        const Checker checker = checked(
            part, rate, engine_log(part, rate, scenario.policy, unless_sanitized(20'000, 4'000)));
        EXPECT_EQ(checker.violations().count(), 0) << name << " at " << share << " of its rate, "
                                                   << scenario.name << ": " << first_of(checker);
      }
    }
  }
}

std::string text_of(const TimingRule& rule) {
  return std::string(to_string(rule.from)) + " to " + std::string(to_string(rule.to)) + ", " +
         std::to_string(rule.cycles) + " CK, scope " + std::to_string(int(rule.scope));
}

TEST(CheckerOnEngine, CatchesEveryRuleThatIsForgotten) {
  // All distances that hide one another are drawn apart, so that each rule binds by itself.
  MemoryPart part = load_part("hbm3-6400", {}, kRoot);
  part.tRC = {Picoseconds(0), 80};
  part.tRPab = {Picoseconds(0), 40};
  part.tPPD = {Picoseconds(0), 6};
  part.tCCDLWR = {Picoseconds(0), 6};
  const std::vector<TimingRule> rules = timing_rules(part, part.rate);
  for (std::size_t i = 0; i < rules.size(); ++i) {
    std::int64_t found = 0;
    bool matters = false;  // a rule that another one implies, or that no policy comes to, does not
    for (const Scenario& scenario : scenarios()) {
      const Log faulty = engine_log(part, part.rate, scenario.policy, 10'000, static_cast<int>(i));
      found += checked(part, part.rate, faulty).violations().count();
      if (found > 0) break;
      matters = matters || faulty != engine_log(part, part.rate, scenario.policy, 10'000);
    }
    EXPECT_TRUE(found > 0 || !matters) << text_of(rules[i]);
  }
}

TEST(CheckerOnEngine, CatchesMostCommandsThatComeAClockTooEarly) {
  const MemoryPart part = load_part("hbm3-6400", {}, kRoot);
  const Log log = engine_log(part, part.rate, {}, 2'000);
  int moved = 0, caught = 0;
  for (std::size_t i = 0; i < log.size(); i += 7) {
    Log changed = log;
    changed[i].tick -= part.ticks_per_clock;
    ++moved;
    caught += checked(part, part.rate, changed).violations().count() > 0 ? 1 : 0;
  }
  EXPECT_GT(caught, moved / 2) << caught << " of " << moved;
}

}  // namespace
}  // namespace presil::dram

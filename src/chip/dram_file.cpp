#include "chip/dram_file.h"

#include <fmt/format.h>

#include "base/describe.h"
#include "chip/inputs.h"

namespace presil {
namespace {

constexpr Choice<Refresh> kRefreshes[] = {
    {"off", Refresh::off}, {"all_bank", Refresh::all_bank}, {"per_bank", Refresh::per_bank}};
constexpr Choice<PagePolicy> kPagePolicies[] = {
    {"open", PagePolicy::open}, {"closed", PagePolicy::closed}, {"adaptive", PagePolicy::adaptive}};
constexpr Choice<Scheduler> kSchedulers[] = {{"fr_fcfs", Scheduler::fr_fcfs},
                                             {"fcfs", Scheduler::fcfs}};
constexpr Choice<Ecc> kEccs[] = {{"none", Ecc::none}, {"inline", Ecc::inside}};

constexpr std::string_view kStacksDoc = "HBM stacks, packages of 64 bits, GDDR devices or DIMMs";
constexpr Range kStacks{1, 1024};
constexpr Range kShare{0, 1};
constexpr double kSlowestShare = 10;

Controller read_controller(Fields& f) {
  Controller c;
  c.scheduler = f.choice_or<Scheduler>(
      "scheduler", "which request goes first: row hits, or the oldest", kSchedulers, c.scheduler);
  c.queue = f.integer_or("queue", "entries for reads, and as many for writes", c.queue,
                         {1, Controller::kMaxQueue});
  c.write_low = f.number_or("write_low", "writes are drained down to this share of their queue",
                            c.write_low, kShare);
  c.write_high = f.number_or("write_high", "they are drained once their queue is fuller than this",
                             c.write_high, kShare);
  f.require(c.write_low <= c.write_high, f.has("write_low") ? "write_low" : "write_high",
            fmt::format("expected write_low <= write_high, found {:g} and {:g}", c.write_low,
                        c.write_high));
  c.starvation = f.quantity_or<Picoseconds>(
      "starvation", "a request that has waited this long goes before row hits; 0 ns: never",
      c.starvation);
  c.refresh_stagger = f.number_or(
      "refresh_stagger", "share of the interval from one pseudo-channel's refreshes to the next's",
      c.refresh_stagger, kShare);
  c.postpone = f.integer_or("postpone", "refreshes that may be owed while requests wait",
                            c.postpone, {0, 8});
  c.rfm_threshold = f.integer_or("rfm_threshold", "activates of a bank between two RFM; 0: no RFM",
                                 c.rfm_threshold, {0, 1e6});
  return c;
}

/// What a chip's `dram:` block and a file of its own have in common.
void read_driving(Fields& f, Dram& d) {
  d.rate = f.quantity_or<BitsPerSecond>("rate", "of a pin; the part's own when absent",
                                        BitsPerSecond(0), Sign::positive);
  d.refresh = f.choice_or<Refresh>("refresh", "how rows are refreshed", kRefreshes, d.refresh);
  d.page_policy =
      f.choice_or<PagePolicy>("page_policy", "rows after an access", kPagePolicies, d.page_policy);
  d.controller = f.maybe_map("controller", "queues, scheduling and refresh debts", read_controller)
                     .value_or(d.controller);
  d.hot = f.flag_or("hot", "above 85 C: refreshed twice as often", d.hot);
  d.ecc = f.choice_or<Ecc>("ecc", "inline: codes lie in the rows beside their data (LPDDR, GDDR)",
                           kEccs, d.ecc);
  d.mapping = f.text_or("mapping", "address mapping; the part's own when absent", "");
  d.capacity = f.maybe<Bytes>("capacity", "of all stacks, when it is not stacks x the part's");
}

DramFile read_fields(Fields& f) {
  DramFile file;
  file.name = f.text("name", "of the memory system");
  file.dram.part = f.text("part", "a file in memories/, or a path relative to this file");
  file.dram.stacks = f.integer_or("stacks", kStacksDoc, 1, kStacks);
  read_driving(f, file.dram);
  f.raw("set", "fields of the part to change: {timing.tRP: 14 ns}");
  return file;
}

}  // namespace

Dram read_dram(Fields& f) {
  Dram dram;
  dram.part = f.text("part", "a file in memories/");
  dram.stacks = f.integer("stacks", kStacksDoc, kStacks);
  read_driving(f, dram);
  return dram;
}

std::string rate_complaint(const MemoryPart& part, BitsPerSecond rate) {
  // Much slower, and refreshing would take all of the time: its limits are in nanoseconds.
  const BitsPerSecond slowest = part.rate / kSlowestShare;
  if (rate >= slowest && rate <= part.rate) return "";
  return fmt::format("expected from {} to {}, the rate of {}, found {}", to_string(slowest),
                     to_string(part.rate), part.name, to_string(rate));
}

void check_driving(const Dram& dram, const MemoryPart& part, const Node& root,
                   const std::string& prefix, Diagnostics& log) {
  const auto complain = [&](std::string_view key, const std::string& message) {
    const std::string path = prefix + std::string(key);
    log.add(place_of(root, path), fmt::format("{}: {}", path, message));
  };
  const std::string wrong_rate = rate_complaint(part, dram.rate);
  if (!wrong_rate.empty()) complain("rate", wrong_rate);
  const bool has_codes_elsewhere =
      !part.family.starts_with("lpddr") && !part.family.starts_with("gddr");
  if (dram.ecc == Ecc::inside && has_codes_elsewhere) {
    complain("ecc", fmt::format("inline is for LPDDR and GDDR; {} is {}, which keeps its codes "
                                "beside the data",
                                part.name, part.family));
  }
}

DramFile read_dram_file(const Node& root) {
  Sources sources;
  DramFile file = read_file(root, "dram", read_fields, &sources);
  file.sources = std::move(sources);
  return file;
}

Schema dram_file_schema() {
  return describe_file("dram", "a memory system without a chip", read_fields);
}

}  // namespace presil

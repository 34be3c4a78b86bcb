// Simulations drawn at random, for property tests: any part, policy, mapping and stream.
//
// All is made of plain numbers, drawn one by one, that shrink to the least: a failing case becomes
// small and is printed whole (showValue).
#pragma once

#include <algorithm>
#include <array>
#include <fstream>
#include <initializer_list>
#include <numeric>
#include <ostream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <rapidcheck.h>

#include "chip/dram_shape.h"
#include "chip/library.h"
#include "dram/run/simulate.h"

namespace presil::dram::testing {

/// Atoms in a row, some blocks of the trace.
struct TraceRun {
  std::int64_t block = 0;
  int blocks = 1;
  bool write = false;
  int pause = 0;  // CK, before the first
};

struct Case {
  SimulationInput input;
  std::vector<TraceRun> trace;  // of Pattern::trace, which is written where the workload says
};

// ---- numbers ------------------------------------------------------------------------------------

inline rc::Gen<int> numbers(int least, int most) {
  return rc::gen::resize(rc::kNominalSize, rc::gen::inRange(least, most + 1));
}
/// From `least` to `most`, one as likely as the other; shrinks to the least.
inline int draw(int least, int most) {
  return *numbers(least, most);
}
/// One time in n; shrinks to no.
inline bool one_in(int n) {
  return draw(0, n - 1) == n - 1;
}
/// Shrinks to the first.
template <class T>
T one_of(std::initializer_list<T> all) {
  return all.begin()[draw(0, static_cast<int>(all.size()) - 1)];
}

// ---- parts --------------------------------------------------------------------------------------

inline const std::vector<MemoryPart>& shipped_parts() {
  static const std::vector<MemoryPart> parts = [] {
    const std::string home = PRESIL_SOURCE_DIR;
    std::vector<MemoryPart> all;
    for (const std::string& name : names_in(home + "/memories")) {
      all.push_back(load_part(name, {}, home));
    }
    return all;
  }();
  return parts;
}

inline void scale(DramTiming& timing, std::int64_t numerator, std::int64_t denominator) {
  timing.time = Picoseconds(timing.time.count() * numerator / denominator);
  timing.min_cycles = std::max<std::int64_t>(1, timing.min_cycles * numerator / denominator);
}

inline void at_least(DramTiming& timing, const DramTiming& least, std::int64_t times = 1) {
  timing.time = std::max(timing.time, Picoseconds(least.time.count() * times));
  timing.min_cycles = std::max(timing.min_cycles, least.min_cycles * times);
}

/// What a part's file must keep (chip/memory_part.cpp), and that data does not collide on its bus.
inline void make_consistent(MemoryPart& part, BitsPerSecond rate) {
  at_least(part.tRAS, part.tRCDRD);
  at_least(part.tRC, {part.tRAS.time + part.tRP.time, part.tRAS.min_cycles + part.tRP.min_cycles});
  at_least(part.tRPab, part.tRP);
  at_least(part.tRRDL, part.tRRDS);
  at_least(part.tFAW, part.tRRDS);
  at_least(part.tCCDS, {Picoseconds(0), part.burst_clocks()});
  for (DramTiming* other : {&part.tCCDL, &part.tCCDLWR, &part.tCCDR}) at_least(*other, part.tCCDS);
  at_least(part.tWTRL, part.tWTRS);
  const auto n = [&](const DramTiming& timing) { return part.clocks(timing, rate); };
  at_least(part.tRTW, {Picoseconds(0), n(part.tCL) + part.burst_clocks() - n(part.tCWL)});
  at_least(part.tRFCab, part.tRFCpb);
  // Hot, and one bank at a time, with the bus shared.
  const std::int64_t apart = n(part.tRREFD) + part.pseudo_channels * part.refresh_ticks;
  const std::int64_t refreshing = std::max(n(part.tRFCab), part.total_banks() * apart);
  at_least(part.tREFI, {Picoseconds(0), 4 * refreshing});
}

/// Small rows and few of them, so that streams wrap.
inline void draw_organisation(MemoryPart& part, bool has_codes) {
  part.pseudo_channels = draw(1, 4);
  part.stack_ids = draw(1, 3);
  part.bank_groups = draw(1, 5);
  part.banks = draw(1, 4);
  const int columns = has_codes ? one_of({8, 16, 32}) : one_of({1, 2, 3, 4, 6, 8, 16, 32});
  part.page = Bytes(columns * part.atom().count());
  const std::int64_t line = kInterleaveLine / part.atom().count();
  const std::int64_t sweep = part.total_banks() * (has_codes ? columns / 8 * 7 : columns);
  part.rows = draw(1, 24) * line / std::gcd(line, sweep);
}

/// So few banks and columns that a stream soon comes to a bank as it was before, and so many rows
/// that it does not break off until then.
inline void draw_periodic_organisation(MemoryPart& part) {
  part.pseudo_channels = draw(1, 2);
  part.stack_ids = one_in(8) ? 3 : draw(1, 2);
  part.bank_groups = draw(1, 2);
  part.banks = draw(1, 2);
  part.page = Bytes(one_of({1, 2, 4}) * part.atom().count());
  part.rows = draw(1, 8) * one_of({512, 2048}) * kInterleaveLine / part.atom().count();
}

inline void draw_interface(MemoryPart& part) {
  part.shared_command_bus = one_in(2);
  part.ticks_per_clock = draw(1, 2);
  part.act_ticks = draw(1, 4);
  for (std::int64_t* slots : {&part.pre_ticks, &part.refresh_ticks, &part.column_ticks}) {
    *slots = draw(1, 2);
  }
}

inline void draw_timings(MemoryPart& part, bool is_periodic) {
  // Refreshes come faster, so that more of them are seen.
  const int faster = is_periodic ? 16 : one_of({1, 2, 4, 8, 16});
  for (DramTiming* timing : {&part.tREFI, &part.tRFCab, &part.tRFCpb}) scale(*timing, 1, faster);
  const auto fields = dram_timing_fields();
  for (int changes = draw(0, 6); changes > 0; --changes) {
    DramTiming& timing = part.*fields[draw(0, static_cast<int>(fields.size()) - 1)].member;
    scale(timing, draw(1, 30), 10);
  }
}

// ---- mappings -----------------------------------------------------------------------------------

inline std::string draw_mapping(const MemoryPart& part, bool has_codes, bool is_periodic) {
  const std::int64_t columns = part.page.count() / part.atom().count();
  const std::array<std::pair<const char*, std::int64_t>, 5> fields = {
      {{"row", part.rows},
       {"stack_id", part.stack_ids},
       {"bank", part.banks},
       {"bank_group", part.bank_groups},
       {"column", has_codes ? columns / 8 * 7 : columns}}};
  const bool row_on_top = is_periodic || !one_in(3);
  std::vector<std::string> digits;
  for (const auto& [name, size] : fields) {
    if (name == fields[0].first && row_on_top) continue;
    digits.emplace_back(name);
    if (!one_in(3)) continue;
    std::vector<std::int64_t> radices;
    for (std::int64_t r = 1; r <= std::min<std::int64_t>(size, 16); ++r) {
      if (size % r == 0) radices.push_back(r);
    }
    const int at = draw(0, static_cast<int>(radices.size()) - 1);
    digits.push_back(fmt::format("{}:{}", name, radices[static_cast<std::size_t>(at)]));
  }
  std::string text = row_on_top ? "row" : "";
  while (!digits.empty()) {
    const auto next = digits.begin() + draw(0, static_cast<int>(digits.size()) - 1);
    text += " " + *next;
    digits.erase(next);
  }
  for (int hashes = one_in(2) ? draw(0, 2) : 0; hashes > 0; --hashes) {
    const int target = draw(0, 4), source = draw(0, 4), divisor = draw(1, 8);
    const std::int64_t size = fields[target].second;
    const bool keeps_rows_alike = target != 0 && source != 0;
    if (target == source || (size & (size - 1)) != 0) continue;
    if (is_periodic && !keeps_rows_alike) continue;
    text += fmt::format(" {}^{}/{}", fields[target].first, fields[source].first, divisor);
  }
  return text;
}

// ---- policies and streams -----------------------------------------------------------------------

inline void draw_policy(Dram& config) {
  config.refresh = one_of({Refresh::off, Refresh::all_bank, Refresh::per_bank});
  config.page_policy = one_of({PagePolicy::open, PagePolicy::closed, PagePolicy::adaptive});
  config.hot = one_in(4);
  Controller& c = config.controller;
  c.scheduler = one_in(4) ? Scheduler::fcfs : Scheduler::fr_fcfs;
  c.queue = one_of({32, 1, 2, 5, 12, 64});
  c.write_high = draw(0, 10) / 10.0;
  c.write_low = c.write_high * draw(0, 4) / 4;
  c.starvation = Picoseconds(one_of({10'000'000, 0, 50'000, 200'000, 1'000'000}));
  c.refresh_stagger = draw(0, 4) / 4.0;
  c.postpone = one_in(2) ? draw(0, 8) : 0;
  c.rfm_threshold = one_in(3) ? draw(1, 8) : 0;
}

inline std::vector<TraceRun> draw_trace(std::int64_t blocks) {
  const int reach = static_cast<int>(std::min<std::int64_t>(blocks, 1 << 20));
  const rc::Gen<TraceRun> runs = rc::gen::exec([reach] {
    TraceRun run;
    run.blocks = std::min(draw(1, 12), reach);
    run.block = draw(0, (one_in(2) ? reach : std::min(reach, 200)) - run.blocks);
    run.write = one_in(3);
    run.pause = one_in(6) ? draw(0, 3000) : 0;
    return run;
  });
  const auto some = rc::gen::resize(200, rc::gen::container<std::vector<TraceRun>>(runs));
  return *rc::gen::nonEmpty(some);
}

/// `capacity`: bytes of all channels.
inline void draw_workload(Case& drawn, std::int64_t capacity, bool is_periodic) {
  using enum Workload::Pattern;
  const SimulationInput& in = drawn.input;
  Workload& load = drawn.input.workload;
  load.pattern = is_periodic ? one_of({sequential, sequential, sequential, stride})
                             : one_of({sequential, stride, random, blocks, trace});
  const std::int64_t block = block_bytes(in.part.atom().count());
  const auto most = static_cast<int>(std::min<std::int64_t>(capacity / block, 300));
  if (load.pattern == trace) drawn.trace = draw_trace(capacity / block);
  if (load.pattern == stride || load.pattern == blocks) {
    load.step = block * draw(1, is_periodic ? 8 : most);
  }
  if (load.pattern == trace) return;
  load.atoms = (is_periodic ? draw(10'000, 40'000) : draw(1, 2'000)) * in.channels;
  load.writes.denominator = draw(1, is_periodic ? 3 : 8);
  load.writes.numerator =
      one_in(2) ? draw(0, static_cast<int>(load.writes.denominator)) : std::int64_t{0};
  load.seed = static_cast<std::uint64_t>(draw(0, 1000));
  if (!is_periodic && one_in(5)) load.load = draw(5, 120) / 100.0;
}

inline rc::Gen<Case> cases() {
  return rc::gen::exec([] {
    Case drawn;
    SimulationInput& in = drawn.input;
    const auto& parts = shipped_parts();
    in.part = parts[static_cast<std::size_t>(draw(0, static_cast<int>(parts.size()) - 1))];
    const bool is_periodic = one_in(3);
    const bool is_shipped = !is_periodic && draw(0, 3) == 0;
    const bool has_codes = !is_periodic && one_in(6);
    if (is_periodic) {
      draw_periodic_organisation(in.part);
    } else if (!is_shipped) {
      draw_organisation(in.part, has_codes);
    }
    if (!is_shipped) {
      draw_interface(in.part);
      draw_timings(in.part, is_periodic);
    }
    in.config.rate = in.part.rate * (draw(50, 100) / 100.0);
    make_consistent(in.part, in.config.rate);
    in.config.ecc = has_codes ? Ecc::inside : Ecc::none;
    if (!is_shipped || one_in(2)) in.part.mapping = draw_mapping(in.part, has_codes, is_periodic);
    draw_policy(in.config);
    if (is_periodic && one_in(2)) in.config.refresh = Refresh::off;
    in.channels = is_periodic ? 1 : draw(1, 3);
    const std::int64_t capacity = in.part.pseudo_channel_capacity().count() *
                                  in.part.pseudo_channels * in.channels / 8 * (has_codes ? 7 : 8);
    draw_workload(drawn, capacity, is_periodic);
    return drawn;
  });
}

// ---- what a case is -----------------------------------------------------------------------------

/// As a DRAMsim3 trace.
inline void write_trace(const Case& drawn, std::ostream& out) {
  const std::int64_t block = block_bytes(drawn.input.part.atom().count());
  std::int64_t cycle = 0;
  for (const TraceRun& run : drawn.trace) {
    cycle += run.pause;
    for (int i = 0; i < run.blocks; ++i) {
      out << fmt::format("{:#x} {} {}\n", (run.block + i) * block, run.write ? "WRITE" : "READ",
                         cycle);
    }
  }
}

inline void showValue(const Case& drawn, std::ostream& out) {
  const SimulationInput& in = drawn.input;
  const MemoryPart& p = in.part;
  const Controller& c = in.config.controller;
  const Workload& w = in.workload;
  out << fmt::format("{} at {} Gb/s, {} channels of {} pseudo-channels\n", p.name,
                     in.config.rate.count() / 1e9, in.channels, p.pseudo_channels);
  out << fmt::format("{} stack IDs x {} groups x {} banks x {} rows of {} B, {} bus\n", p.stack_ids,
                     p.bank_groups, p.banks, p.rows, p.page.count(),
                     p.shared_command_bus ? "one" : "row and column");
  out << fmt::format("ticks: {} a CK, ACT {}, PRE {}, REF {}, RD {}; timings in CK:",
                     p.ticks_per_clock, p.act_ticks, p.pre_ticks, p.refresh_ticks, p.column_ticks);
  for (const DramTimingField& field : dram_timing_fields()) {
    out << fmt::format(" {} {}", field.name, p.clocks(p.*field.member, in.config.rate));
  }
  out << fmt::format("\nmapping: {}; codes {}\n", p.mapping, in.config.ecc == Ecc::inside);
  out << fmt::format("refresh {}, pages {}, scheduler {}, hot {}\n", int(in.config.refresh),
                     int(in.config.page_policy), int(c.scheduler), in.config.hot);
  out << fmt::format(
      "queue {}, writes {} to {}, starved after {} ps, stagger {}, postpone {}, RFM {}\n", c.queue,
      c.write_low, c.write_high, c.starvation.count(), c.refresh_stagger, c.postpone,
      c.rfm_threshold);
  out << fmt::format("pattern {}, step {}, {} atoms, writes {}/{}, seed {}, load {}\n",
                     int(w.pattern), w.step, w.atoms, w.writes.numerator, w.writes.denominator,
                     w.seed, w.load.value_or(0));
  write_trace(drawn, out);
}

}  // namespace presil::dram::testing

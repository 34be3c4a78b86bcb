// dram: a memory by itself, under a pattern or a trace.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "app/keep.h"
#include "app/output.h"
#include "base/quantity_text.h"
#include "dram/run/figures.h"
#include "explore/dram_json.h"
#include "report/table.h"

namespace presil::app {
namespace {

std::string percent(double share) {
  return fmt::format("{:.1f} %", 100 * share);
}

std::string seconds_text(Seconds t) {
  return to_string(t);
}

/// 1234567 as "1,234,567".
std::string grouped(std::int64_t count) {
  const std::string digits = std::to_string(count);
  std::string text;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) text += ',';
    text += digits[i];
  }
  return text;
}

std::string memory_text(const DramRun& run) {
  const MemoryPart& part = run.files.part;
  return fmt::format("{}: {} channel{} of {} x {} pins at {}, {}, {}", part.name, run.channels,
                     run.channels == 1 ? "" : "s", part.pseudo_channels, part.width,
                     to_string(run.files.dram.rate), to_string(run.result.peak),
                     to_string(run.result.capacity));
}

std::string load_text(const DramRun& run) {
  const DramRequest& q = run.request;
  std::string text = fmt::format("{}, {} atoms of {} B ({})", q.pattern, grouped(run.result.atoms),
                                 run.files.part.atom().count(), to_string(Bytes(run.result.bytes)));
  if (q.writes != "0") text += fmt::format(", {} of the blocks written", q.writes);
  if (q.load) text += fmt::format(", offered at {} of the peak", percent(*q.load));
  if (run.result.ecc_atoms > 0) {
    text += fmt::format(", {} atoms of codes beside them", grouped(run.result.ecc_atoms));
  }
  return text;
}

std::string bus_text(const DramRun& run) {
  const dram::BusShares s = dram::data_bus_shares(run.result, run.files.part);
  if (run.request.engine == dram::Engine::reference) return "data " + percent(s.data);
  return fmt::format("data {}, waiting for rows {}, refresh {}, turnaround {}, other {}",
                     percent(s.data), percent(s.row), percent(s.refresh), percent(s.turnaround),
                     percent(s.other));
}

std::string latency_text(const dram::SimulationResult& r) {
  const auto at = [&](double ticks) { return seconds_text(dram::time_of(r, ticks)); };
  const auto percentile = [&](double share) {
    return at(static_cast<double>(r.latency.percentile(share)));
  };
  return fmt::format("mean {}, median {}, 99 % within {}, longest {}", at(r.latency.mean()),
                     percentile(0.5), percentile(0.99), at(static_cast<double>(r.latency.max())));
}

std::string rows_text(const dram::ChannelCounts& c) {
  const double all =
      static_cast<double>(std::max<std::int64_t>(1, c.hits + c.misses + c.conflicts));
  return fmt::format("hits {}, misses {}, conflicts {}", percent(static_cast<double>(c.hits) / all),
                     percent(static_cast<double>(c.misses) / all),
                     percent(static_cast<double>(c.conflicts) / all));
}

std::string commands_text(const dram::ChannelCounts& counts) {
  std::string text;
  for (int i = 0; i < dram::kCommands; ++i) {
    const auto command = static_cast<dram::Command>(i);
    if (counts.of(command) == 0) continue;
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", dram::to_string(command),
                        grouped(counts.of(command)));
  }
  return text;
}

std::string energy_text(const DramRun& run) {
  const DramEnergy e = dram_energy(run.files.part, dram::events_of(run.result, run.files.part));
  const Band total = e.total();
  const auto share = [&](const Band& part) {
    return fmt::format("{:.0f} %", 100 * part.typical / total.typical);
  };
  const auto joules = [](double j) { return format_quantity(j, Dimension::joules); };
  std::string text =
      fmt::format("{} ({} to {})", joules(total.typical), joules(total.low), joules(total.high));
  if (run.result.bytes > 0) {
    const double bits = 8 * static_cast<double>(run.result.bytes);
    text += fmt::format(", {:.2f} pJ/bit", total.typical * 1e12 / bits);
  }
  return text + fmt::format(": rows {}, reads {}, writes {}, refresh {}, background {}",
                            share(e.rows), share(e.read), share(e.write), share(e.refresh),
                            share(e.background));
}

std::string timing_text(const DramRun& run) {
  const std::size_t estimates = dram::estimated_timings(run.files.part).size();
  return fmt::format("{}; {} of {} timings are estimates",
                     run.files.part.timing_estimated
                         ? "estimated: the core timings are nobody's published numbers"
                         : "published",
                     estimates, dram_timing_fields().size());
}

std::string describe(const DramRun& run) {
  const dram::SimulationResult& r = run.result;
  const std::pair<const char*, std::string> lines[] = {
      {"memory", memory_text(run)},
      {"load", load_text(run)},
      {"engine",
       fmt::format("{}{}{}", to_string(run.request.engine),
                   r.shortcuts.empty() ? "" : "; shortcuts taken: ", fmt::join(r.shortcuts, ", "))},
      {"bandwidth", fmt::format("{}, {} of the peak", to_string(dram::bandwidth(r)),
                                percent(dram::efficiency(r)))},
      {"time", fmt::format("{}, {} ticks of {} ps", seconds_text(dram::time_of(r)),
                           grouped(r.ticks), 1e12 / r.clock.frequency().count())},
      {"data bus", bus_text(run)},
      {"latency", latency_text(r)},
      {"rows", rows_text(r.counts)},
      {"commands", commands_text(r.counts)},
      {"energy", energy_text(run)},
      {"timing", timing_text(run)},
      {"log hash", fmt::format("{:016x}", r.log_hash.value())},
  };
  std::string text;
  for (const auto& [name, value] : lines) text += fmt::format("{:<10} {}\n", name, value);
  return text;
}

std::string curve_table(const std::vector<dram::LoadPoint>& curve) {
  Table table({{"offered", Align::right},
               {"of peak", Align::right},
               {"served", Align::right},
               {"mean latency", Align::right},
               {"median", Align::right},
               {"99 %", Align::right},
               {""}});
  for (const dram::LoadPoint& p : curve) {
    table.add({to_string(p.offered), percent(p.load), to_string(p.served),
               Cell(seconds_text(p.mean), Tone::strong), seconds_text(p.p50), seconds_text(p.p99),
               Cell(p.saturated ? "more than it serves" : "", Tone::warning)});
  }
  return table.render(colour());
}

std::string sensitivity_table(const DramRun& run) {
  const std::string less = fmt::format("-{:.0f} %", 100 * *run.request.sensitivity);
  const std::string more = fmt::format("+{:.0f} %", 100 * *run.request.sensitivity);
  Table table({{"estimate"},
               {"CK", Align::right},
               {"bandwidth " + less, Align::right},
               {more, Align::right},
               {"latency " + less, Align::right},
               {more, Align::right}});
  const auto signed_percent = [](double share) { return fmt::format("{:+.2f} %", 100 * share); };
  std::string still;
  for (const dram::Sensitivity& s : run.sensitivity) {
    const double moves = std::max({std::abs(s.shorter.bandwidth), std::abs(s.longer.bandwidth),
                                   std::abs(s.shorter.latency), std::abs(s.longer.latency)});
    if (moves < 0.00005) {
      still += (still.empty() ? "" : ", ") + s.timing;
      continue;
    }
    table.add({Cell(s.timing, Tone::strong),
               fmt::format("{} {} {}", s.shorter.clocks, s.clocks, s.longer.clocks),
               signed_percent(s.shorter.bandwidth), signed_percent(s.longer.bandwidth),
               signed_percent(s.shorter.latency), signed_percent(s.longer.latency)});
  }
  if (run.sensitivity.empty()) return "none of the part's timings is an estimate\n";
  const dram::Sensitivity& first = run.sensitivity.front();
  return fmt::format("{} moves the bandwidth most: {} when it is shorter, {} when it is longer\n{}",
                     first.timing, signed_percent(first.shorter.bandwidth),
                     signed_percent(first.longer.bandwidth), table.render(colour())) +
         (still.empty() ? "" : "does not move it: " + still + "\n");
}

}  // namespace

int dram_verb(const Common& common, DramRequest request) {
  request.overrides = common.set;
  request.seed = common.seed;
  const DramRun run = run_dram(request, common.places);
  const Json json = to_json(run);
  const auto store = open_store(common);
  const std::string id = keep_dram(*store, common, run, json);
  if (common.json) {
    print_json(common, json);
    return 0;
  }
  fmt::print("{}", describe(run));
  if (request.curve) fmt::print("\n{}", curve_table(run.curve));
  if (request.sensitivity) fmt::print("\n{}", sensitivity_table(run));
  if (!request.command_log.empty()) fmt::print("log        {}\n", request.command_log);
  fmt::print("stored     run {} in {}; presil report draws it\n", id, common.store.string());
  return 0;
}

}  // namespace presil::app

#include "dram/run/sensitivity.h"

#include <algorithm>
#include <cmath>

#include "base/interrupt.h"
#include "base/parallel.h"
#include "dram/run/figures.h"

namespace presil::dram {
namespace {

const DramTimingField& field_of(std::string_view timing) {
  const auto fields = dram_timing_fields();
  const auto found = std::find_if(fields.begin(), fields.end(),
                                  [&](const DramTimingField& f) { return f.name == timing; });
  CHECK(found != fields.end(), "a timing of the part");
  return *found;
}

bool spaces_bursts(std::string_view timing) {
  return timing.starts_with("tCCD");
}

Sensitivity::Change change_of(SimulationInput input, const SimulationResult& base,
                              std::string_view timing, double factor) {
  const auto member = field_of(timing).member;
  const std::int64_t before = input.part.clocks(input.part.*member, input.config.rate);
  input.part = with_scaled_timing(input.part, timing, factor);
  Sensitivity::Change change;
  change.clocks = input.part.clocks(input.part.*member, input.config.rate);
  if (change.clocks == before) return change;  // the floor in clock cycles holds it
  input.log = nullptr;
  input.progress = nullptr;
  const SimulationResult r = simulate(input);
  change.bandwidth = bandwidth(r) / bandwidth(base) - 1;
  change.latency = r.latency.mean() / base.latency.mean() - 1;
  return change;
}

double largest(double Sensitivity::Change::*of, const Sensitivity& s) {
  return std::max(std::abs(s.shorter.*of), std::abs(s.longer.*of));
}

}  // namespace

std::vector<std::string> estimated_timings(const MemoryPart& part) {
  std::vector<std::string> names;
  for (const DramTimingField& field : dram_timing_fields()) {
    const Provenance* source = source_of(part.sources, "timing." + std::string(field.name));
    if (source == nullptr || source->confidence == Confidence::estimate) {
      names.emplace_back(field.name);
    }
  }
  return names;
}

MemoryPart with_scaled_timing(const MemoryPart& part, std::string_view timing, double factor) {
  MemoryPart scaled = part;
  DramTiming& t = scaled.*field_of(timing).member;
  if (t.time.count() > 0) {
    t.time = Picoseconds(std::llround(static_cast<double>(t.time.count()) * factor));
  } else {
    const double cycles = static_cast<double>(t.min_cycles) * factor;
    t.min_cycles = static_cast<std::int64_t>(factor < 1 ? std::floor(cycles) : std::ceil(cycles));
  }
  if (spaces_bursts(timing)) t.min_cycles = std::max(t.min_cycles, part.burst_clocks());
  return scaled;
}

std::vector<Sensitivity> sensitivity(const SimulationInput& input, const SimulationResult& base,
                                     double share, const std::function<void()>& on_run) {
  const std::vector<std::string> names = estimated_timings(input.part);
  std::vector<Sensitivity> lines(names.size());
  for (std::size_t i = 0; i < names.size(); ++i) {
    lines[i].timing = names[i];
    lines[i].clocks = input.part.clocks(input.part.*field_of(names[i]).member, input.config.rate);
  }
  parallel_each(2 * names.size(), [&](std::size_t i) {
    check_interrupt();
    const bool longer = i % 2 == 1;
    Sensitivity& line = lines[i / 2];
    (longer ? line.longer : line.shorter) =
        change_of(input, base, line.timing, longer ? 1 + share : 1 - share);
    on_run();
  });
  std::stable_sort(lines.begin(), lines.end(), [](const Sensitivity& a, const Sensitivity& b) {
    using Change = Sensitivity::Change;
    const auto by_bandwidth = [](const Sensitivity& s) { return largest(&Change::bandwidth, s); };
    const auto by_latency = [](const Sensitivity& s) { return largest(&Change::latency, s); };
    if (by_bandwidth(a) != by_bandwidth(b)) return by_bandwidth(a) > by_bandwidth(b);
    return by_latency(a) > by_latency(b);
  });
  return lines;
}

}  // namespace presil::dram

#include "report/perfetto.h"

#include <string>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "chip/dram_shape.h"

namespace presil {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kKernelTrack = 1;
constexpr int kFirstEngineTrack = 2;
constexpr int kReadTrack = 20;
constexpr int kWriteTrack = 21;

double microseconds(Picoseconds t) {
  return static_cast<double>(t.count()) / 1e6;
}

/// The engines that have a track of their own.
std::vector<Resource> engines_of(const Chip& chip) {
  std::vector<Resource> engines = {Resource::launch, Resource::matrix, Resource::vector,
                                   Resource::sram,   Resource::noc,    Resource::link};
  if (chip.die.link) engines.push_back(Resource::die_link);
  if (chip.dma) engines.push_back(Resource::dma);
  return engines;
}

class Trace {
 public:
  void name_process(int process, const std::string& name) {
    events.push_back(
        {{"ph", "M"}, {"pid", process}, {"name", "process_name"}, {"args", {{"name", name}}}});
  }
  void name_track(int process, int track, const std::string& name) {
    events.push_back({{"ph", "M"},
                      {"pid", process},
                      {"tid", track},
                      {"name", "thread_name"},
                      {"args", {{"name", name}}}});
    events.push_back({{"ph", "M"},
                      {"pid", process},
                      {"tid", track},
                      {"name", "thread_sort_index"},
                      {"args", {{"sort_index", track}}}});
  }
  void span(int process, int track, std::string name, Picoseconds start, Picoseconds end,
            Json args) {
    if (end <= start) return;
    events.push_back({{"ph", "X"},
                      {"pid", process},
                      {"tid", track},
                      {"name", std::move(name)},
                      {"ts", microseconds(start)},
                      {"dur", microseconds(end - start)},
                      {"args", std::move(args)}});
  }

  Json events = Json::array();
};

void add_kernels(Trace& trace, int process, const Timeline& timeline,
                 const std::vector<Resource>& engines) {
  for (const KernelTime& k : timeline.kernels) {
    const std::string name =
        k.block == "layer" ? fmt::format("{} {}", k.name, k.layer) : std::string(k.name);
    trace.span(process, kKernelTrack, name, k.start, k.end,
               {{"bound_by", to_string(k.bound_by)},
                {"flops", k.flops},
                {"dram_bytes", k.dram_bytes.count()}});
    int track = kFirstEngineTrack;
    for (const Resource engine : engines) {
      // Work of an engine is spread over its kernel; it is drawn at the kernel's start.
      const Picoseconds busy = std::min(k.busy[static_cast<std::size_t>(engine)], k.end - k.start);
      trace.span(process, track++, name, k.start, k.start + busy,
                 {{"of_kernel", static_cast<double>(busy.count()) /
                                    static_cast<double>((k.end - k.start).count())}});
    }
  }
}

/// Transfers of one direction queue behind each other: a span begins where the one before ended.
void add_transfers(Trace& trace, int process, const Timeline& timeline, bool write) {
  Picoseconds last(0);
  for (const TransferTime& t : timeline.transfers) {
    if (t.write != write) continue;
    const Picoseconds start = std::max(t.start, last);
    last = std::max(last, t.end);
    trace.span(process, write ? kWriteTrack : kReadTrack, write ? "write" : "read", start, t.end,
               {{"bytes", t.size.count()}});
  }
}

}  // namespace

nlohmann::ordered_json perfetto_trace(const RunResult& run) {
  Trace trace;
  const std::int64_t channels = run.program.dram_unit.count() / kInterleaveLine;
  const std::vector<Resource> engines = engines_of(run.chip.chip);
  int process = 1;
  for (const PhaseResult& phase : run.phases) {
    trace.name_process(
        process, fmt::format("{} of {} on {}", phase.name, run.model.name, run.chip.chip.name));
    trace.name_track(process, kKernelTrack, "kernels");
    int track = kFirstEngineTrack;
    for (const Resource engine : engines) {
      trace.name_track(process, track++, std::string(to_string(engine)));
    }
    trace.name_track(process, kReadTrack,
                     fmt::format("DRAM reads (each of {} equal pseudo-channels)", channels));
    trace.name_track(process, kWriteTrack,
                     fmt::format("DRAM writes (each of {} equal pseudo-channels)", channels));
    add_kernels(trace, process, phase.timeline, engines);
    add_transfers(trace, process, phase.timeline, false);
    add_transfers(trace, process, phase.timeline, true);
    ++process;
  }
  return {{"displayTimeUnit", "ns"}, {"traceEvents", std::move(trace.events)}};
}

}  // namespace presil

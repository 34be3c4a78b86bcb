#include "explore/explain.h"

#include <algorithm>
#include <functional>
#include <map>
#include <optional>

#include <fmt/format.h>

#include "base/parallel.h"
#include "base/progress.h"
#include "chip/dram_shape.h"
#include "explore/prepare.h"

namespace presil {
namespace {

/// A change of the request, or of what was prepared from it.
struct Candidate {
  std::string what;
  std::vector<std::string> settings;
  std::function<void(RunRequest&)> ask;
  std::function<void(RunResult&)> prepared;
};

std::string quantity(double value, std::string_view unit) {
  return fmt::format("{:.6g} {}", value, unit);
}

std::string twice(BytesPerSecond bandwidth) {
  return quantity(2 * bandwidth.count() / 1e9, "GB/s");
}

class Candidates {
 public:
  explicit Candidates(const RunResult& run) : chip_(run.chip.chip), run_(run) {
    memory();
    on_chip();
    engines();
    links();
    launches();
    power();
    splits();
  }

  std::vector<Candidate> list;

 private:
  void set(std::string what, std::vector<std::string> settings) {
    Candidate c{std::move(what), settings, {}, {}};
    c.ask = [settings](RunRequest& q) {
      q.overrides.insert(q.overrides.end(), settings.begin(), settings.end());
    };
    list.push_back(std::move(c));
  }

  void memory() {
    const Dram& d = chip_.dram;
    if (d.is_on_chip()) return;
    set("one more DRAM stack", {fmt::format("dram.stacks={}", d.stacks + 1)});
    set("twice the DRAM stacks", {fmt::format("dram.stacks={}", 2 * d.stacks)});
    if (d.refresh == Refresh::all_bank) set("refresh bank by bank", {"dram.refresh=per_bank"});
  }

  void on_chip() {
    if (chip_.sram) {
      const SharedMemory& s = *chip_.sram;
      set("twice the shared memory's size",
          {"sram.size=" + quantity(2 * static_cast<double>(s.size.count()), "B")});
      set("twice the shared memory's bandwidth",
          {"sram.read=" + quantity(2 * s.read.count() / 1e9, "GB/s")});
    }
    set("twice the local memories' size",
        {"core.sram.size=" + quantity(2 * static_cast<double>(chip_.core.sram.size.count()), "B")});
    set("twice the local memories' bandwidth",
        {"core.sram.read=" + quantity(2 * chip_.core.sram.read.count(), "B/cycle")});
    std::vector<std::string> network = {"noc.bandwidth=" + twice(chip_.noc.bandwidth)};
    if (chip_.noc.links) {
      network.push_back("noc.links.bandwidth=" + twice(chip_.noc.links->bandwidth));
    }
    set("twice the network's bandwidth", std::move(network));
    if (chip_.die.link) {
      set("twice the link between the dies",
          {"die.link.bandwidth=" + twice(chip_.die.link->bandwidth)});
    }
    if (chip_.dma) {
      set("twice the DMA requests in flight",
          {fmt::format("dma.outstanding={}", 2 * chip_.dma->outstanding)});
    }
  }

  void engines() {
    std::vector<std::string> twice;
    for (const auto& [format, macs] : chip_.core.matrix.macs_per_cycle) {
      twice.push_back(
          fmt::format("core.matrix.macs_per_cycle.{}={:.6g}", to_string(format), 2 * macs));
    }
    set("twice the matrix engines", std::move(twice));
    const VectorEngine& v = chip_.core.vector;
    set("twice the vector engines",
        {fmt::format("core.vector.flops_per_cycle={:.6g}", 2 * v.flops_per_cycle),
         fmt::format("core.vector.exp_per_cycle={:.6g}", 2 * v.exp_per_cycle)});
  }

  void links() {
    if (!chip_.link || run_.request.tensor_parallel == 1) return;
    const Link& l = *chip_.link;
    set("twice the link bandwidth",
        {"link.bandwidth=" + quantity(2 * l.bandwidth.count() / 1e9, "GB/s")});
    set("half the link latency", {"link.latency=" + quantity(l.latency.count() / 2 * 1e6, "us")});
  }

  void launches() {
    if (run_.library.software.has_laws()) {
      Candidate c{"half the launches (fused kernels)", {}, {}, {}};
      c.prepared = [](RunResult& r) { r.library.launch_share = 0.5; };
      list.push_back(std::move(c));
      return;
    }
    const Launch& l = chip_.launch;
    const auto half = [](std::string_view mode, Seconds gap) {
      return fmt::format("launch.{}={}", mode, quantity(gap.count() / 2 * 1e6, "us"));
    };
    set("half the launch cost",
        {half("eager", l.eager), half("stream", l.stream), half("graph", l.graph)});
  }

  void power() {
    set("a quarter more power", {"power.limit=" + quantity(1.25 * chip_.power.limit.count(), "W")});
  }

  void splits() {
    const std::int64_t tp = 2 * run_.request.tensor_parallel;
    Candidate wider{"twice the chips in tensor parallel", {fmt::format("--tp {}", tp)}, {}, {}};
    wider.ask = [tp](RunRequest& q) { q.tensor_parallel = tp; };
    list.push_back(std::move(wider));
    if (!run_.weights_file.empty() || !run_.request.dtype.empty()) return;
    Candidate narrow{"weights in 4 bits", {"--numerics w4a16"}, {}, {}};
    narrow.ask = [](RunRequest& q) { q.numerics = "w4a16"; };
    list.push_back(std::move(narrow));
  }

  const Chip& chip_;
  const RunResult& run_;
};

PhaseExplanation describe(const PhaseResult& phase, const ErrorModel& errors) {
  PhaseExplanation e;
  e.phase = phase.name;
  const Timeline& t = phase.timeline;
  e.time_s = to_seconds(t.total).count();
  const TimeBand band = errors.of(phase);
  e.time_low_s = e.time_s * band.low;
  e.time_high_s = e.time_s * band.high;
  e.shares = shares_of(t.charges);
  std::stable_sort(e.shares.begin(), e.shares.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  std::map<std::string_view, std::size_t> known;
  std::vector<Charges> charged;
  Picoseconds step(0);
  for (const KernelTime& k : t.kernels) {
    const auto [at, fresh] = known.try_emplace(k.name, e.path.size());
    if (fresh) {
      e.path.push_back({std::string(k.name), 0, 0, 0, ""});
      charged.push_back({});
    }
    PathEntry& entry = e.path[at->second];
    ++entry.count;
    entry.time_s += to_seconds(k.end - k.start).count();
    charged[at->second][static_cast<std::size_t>(k.bound_by)] += k.end - k.start;
    step += k.end - k.start;
  }
  for (std::size_t i = 0; i < e.path.size(); ++i) {
    e.path[i].share = e.path[i].time_s / to_seconds(step).count();
    e.path[i].bound_by = to_string(largest(charged[i]));
  }
  std::stable_sort(e.path.begin(), e.path.end(),
                   [](const PathEntry& a, const PathEntry& b) { return a.time_s > b.time_s; });
  return e;
}

/// The run with the change in it; a change that the chip's files refuse is not feasible.
Feasible<RunResult> changed(const Candidate& c, RunRequest request, const Places& places) {
  if (c.ask) c.ask(request);
  try {
    auto r = prepare(request, places);
    if (!r) return r;
    if (c.prepared) c.prepared(*r);
    return time_run(std::move(*r), places);
  } catch (const InputError& e) {
    return tl::unexpected(Infeasible{e.what(), ""});
  }
}

}  // namespace

Feasible<Explanation> explain(RunRequest request, const Places& places) {
  request.mode = Mode::cycles;
  request.prompt.reset();
  request.compare = {};
  auto base = run(request, places);
  if (!base) return tl::unexpected(base.error());
  Explanation result{std::move(*base), {}};
  for (const PhaseResult& phase : result.run.phases) {
    result.phases.push_back(describe(phase, result.run.errors));
  }

  const std::vector<Candidate> candidates = Candidates(result.run).list;
  std::vector<std::optional<Feasible<RunResult>>> runs(candidates.size());
  Progress progress("changes simulated", static_cast<std::int64_t>(candidates.size()));
  parallel_each(candidates.size(), [&](std::size_t i) {
    runs[i] = changed(candidates[i], request, places);
    progress.advance();
  });
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    for (std::size_t p = 0; p < result.phases.size(); ++p) {
      PhaseExplanation& phase = result.phases[p];
      Change change{candidates[i].what, candidates[i].settings, true, "", 0, 1, 0};
      if (*runs[i]) {
        const RunResult& r = **runs[i];
        change.time_s = to_seconds(r.phases[p].timeline.total).count();
        change.speedup = phase.time_s / change.time_s;
        change.usd_per_chip = r.price.usd_per_chip.typical;
      } else {
        change.feasible = false;
        change.reason = runs[i]->error().reason;
      }
      phase.changes.push_back(std::move(change));
    }
  }
  for (PhaseExplanation& phase : result.phases) {
    std::stable_sort(
        phase.changes.begin(), phase.changes.end(), [](const Change& a, const Change& b) {
          return std::pair(!a.feasible, -a.speedup) < std::pair(!b.feasible, -b.speedup);
        });
  }
  return result;
}

}  // namespace presil

#include "cycles/law_run.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/interrupt.h"
#include "base/progress.h"
#include "cycles/law_work.h"
#include "cycles/ledger.h"
#include "cycles/limits.h"
#include "cycles/step_memory.h"
#include "cycles/work.h"

namespace presil {
namespace {

double to_microseconds(Picoseconds t) {
  return static_cast<double>(t.count()) / 1e6;
}

Picoseconds from_microseconds(double us) {
  return Picoseconds(std::llround(us * 1e6));
}

/// A library's kernel draws its operands over the cache once, however its tiles are cut.
void read_once(std::vector<DramTraffic>& traffic) {
  const auto same = [](const DramTraffic& a, const DramTraffic& b) {
    return a.cargo == b.cargo && !a.write && !b.write && a.stream.base == b.stream.base &&
           a.stream.length == b.stream.length;
  };
  traffic.erase(std::unique(traffic.begin(), traffic.end(), same), traffic.end());
}

/// The traffic as two plain streams, of a kernel that finds part of its operands in the cache.
std::vector<DramTraffic> as_streams(const kernels::Traffic& t) {
  std::vector<DramTraffic> traffic;
  const auto add = [&](double bytes, bool write) {
    const auto length = static_cast<std::int64_t>(std::llround(bytes));
    if (length > 0) traffic.push_back({{0, length, 0, 0}, Cargo::activations, write});
  };
  add(t.read, false);
  add(t.written, true);
  return traffic;
}

class LawRun {
 public:
  LawRun(const BoundProgram& bound, const Chip& chip, const MemoryPart& part,
         const CyclesOptions& options)
      : bound_(bound), chip_(chip), options_(options), memory_(part, chip.dram, options) {}

  Timeline run() {
    plan();
    Progress progress("kernels timed", std::ssize(planned_));
    for (Planned& p : planned_) {
      run_kernel(p);
      progress.advance();
    }
    return ledger_.finish(memory_, memory_resource(chip_));
  }

 private:
  struct Planned {
    KernelAt at;
    KernelWork work;
  };

  /// The law of a kernel, which is the same in all layers of its block, and its last terms: most
  /// layers' DRAM takes as long as that of the one before.
  struct Known {
    LawWork law;
    double dram_us = -1;
    kernels::Terms terms;
  };
  Known& known_law(const KernelAt& at) {
    const auto found = known_.find(at.bound);
    if (found != known_.end()) return found->second;
    LawWork law = law_work(bound_, at.block, at.kernel, chip_, *options_.library, options_.clock,
                           options_.launch);
    return known_.emplace(at.bound, Known{std::move(law), -1, {}}).first->second;
  }

  void plan() {
    StepSize size;
    for_each_kernel(bound_, [&](const KernelAt& at) {
      Planned p{at, work_of(bound_, at.block, at.kernel, at.layer, chip_)};
      size.add(p.work, 1, to_picoseconds(chip_.launch.gap(options_.launch)), options_.clock);
      check_limits(size, bound_, chip_);
      read_once(p.work.traffic);
      planned_.push_back(std::move(p));
    });
  }

  /// All its traffic at its launch, then what its law makes of it.
  void run_kernel(Planned& p) {
    check_interrupt();
    Known& known = known_law(p.at);
    const LawWork& law = known.law;
    if (law.traffic) p.work.traffic = as_streams(*law.traffic);
    const Picoseconds begin = ledger_.now();
    const Picoseconds launch = begin + extra_gap();
    const Picoseconds arrived = send_all(p.work.traffic, launch);
    const double dram_us = to_microseconds(arrived - launch);
    if (dram_us != known.dram_us) {
      known.dram_us = dram_us;
      known.terms = law.terms(dram_us);
      known.terms.before *= options_.library->launch_share;
    }
    const kernels::Terms& t = known.terms;
    const Picoseconds end = std::max(arrived, launch + from_microseconds(total_us(t, dram_us)));

    const Picoseconds after = from_microseconds(t.after);
    const double drawn_us = dram_us / t.dram_share;
    const double body = kernels::norm(t.work, drawn_us, t.overlap);
    // A floor of the host's is launching too.
    ledger_.charge_until(Resource::launch, end - after - from_microseconds(body));
    ledger_.charge_until(t.work >= drawn_us ? law.engine : memory_resource(chip_), end - after);
    ledger_.charge_until(law.engine, end);

    KernelTime k = kernel_time(bound_, p.at);
    k.busy[index_of(law.engine)] = from_microseconds(t.work) + after;
    k.busy[index_of(Resource::launch)] = extra_gap() + from_microseconds(t.before);
    k.error_class.regime = regime_of(largest(ledger_.charges()));
    ledger_.close(std::move(k), p.work, end);
  }

  /// A law's start holds the launch as its engine does it; another way of launching costs more.
  Picoseconds extra_gap() const {
    const Launch& launch = chip_.launch;
    const Seconds own = launch.gap(options_.library->software.launch);
    return to_picoseconds(std::max(Seconds(0), launch.gap(options_.launch) - own));
  }

  /// Hands all of it to the memory at the launch; when the last of it has arrived.
  Picoseconds send_all(const std::vector<DramTraffic>& traffic, Picoseconds launch) {
    std::vector<std::int64_t> sent;
    for (const DramTraffic& t : traffic) {
      if (t.stream.length == 0) continue;
      dram::Transfer transfer;
      transfer.stream = t.stream;
      transfer.write = t.write;
      transfer.requester = t.write ? 1 : 0;
      transfer.ready_at = launch;
      sent.push_back(memory_.submit(transfer));
    }
    Picoseconds done = launch;
    for (const std::int64_t number : sent) done = std::max(done, memory_.arrival(number));
    return done;
  }

  const BoundProgram& bound_;
  const Chip& chip_;
  const CyclesOptions& options_;
  StepMemory memory_;
  Ledger ledger_;
  std::vector<Planned> planned_;
  std::unordered_map<const BoundKernel*, Known> known_;
};

}  // namespace

Timeline run_library(const BoundProgram& bound, const Chip& chip, const MemoryPart& part,
                     const CyclesOptions& options) {
  return LawRun(bound, chip, part, options).run();
}

}  // namespace presil

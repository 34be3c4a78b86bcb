#include "cycles/tile_run.h"

#include <algorithm>
#include <vector>

#include "base/integers.h"
#include "base/interrupt.h"
#include "base/progress.h"
#include "chip/supply.h"
#include "cycles/buffer.h"
#include "cycles/ledger.h"
#include "cycles/limits.h"
#include "cycles/step_memory.h"
#include "cycles/work.h"

namespace presil {
namespace {

// Enough stages that filling the pipeline costs a few per cent of a kernel at most.
constexpr std::int64_t kMaxStages = 64;

/// The part of `whole` that belongs to stage `s` of `stages`; the parts sum to the whole.
std::int64_t part_of(std::int64_t whole, std::int64_t s, std::int64_t stages) {
  const auto until = [&](std::int64_t i) {
    return static_cast<std::int64_t>(static_cast<__int128_t>(whole) * i / stages);
  };
  return until(s + 1) - until(s);
}

/// One stage's stretch of DRAM traffic, in program order.
struct Fetch {
  std::int64_t stage = 0;  // numbered over the whole step
  dram::Transfer transfer;
  bool ahead = false;        // may be issued before its kernel is launched
  Picoseconds in_queues;     // how long the DMA queues are at it
  std::int64_t number = -1;  // of its transfer, once issued
  Picoseconds queued_until;  // the DMA queues have its last byte, once issued; zero without them

  std::int64_t bytes() const { return transfer.stream.length; }
};

class TileRun {
 public:
  TileRun(const BoundProgram& bound, const Chip& chip, const MemoryPart& part,
          const CyclesOptions& options)
      : bound_(bound),
        chip_(chip),
        options_(options),
        latency_(to_picoseconds(supply_latency(chip))),
        memory_(part, chip.dram, options),
        fetch_buffer_(fetch_capacity()),
        fill_buffer_(fill_capacity()) {}

  Timeline run() {
    plan();
    Progress progress("kernels timed", std::ssize(planned_));
    for (const Planned& p : planned_) {
      run_kernel(p);
      progress.advance();
    }
    memory_.drain();
    return ledger_.finish(memory_, memory_resource(chip_));
  }

 private:
  struct Planned {
    KernelAt at;
    KernelWork work;
    std::int64_t stages;
    std::int64_t first_stage;
  };

  /// Half of the local memories: the other half is being computed on. However small, a few lines on
  /// every channel are in flight.
  std::int64_t fill_capacity() const {
    return std::max(16 * bound_.program->dram_unit.count(),
                    chip_.core.count * chip_.core.sram.size.count() / 2);
  }

  /// What may be on the chip and not yet computed on. A cache keeps nothing on purpose; shared
  /// memory under software control is a buffer for weights where activations leave room.
  std::int64_t fetch_capacity() const {
    if (!chip_.sram || chip_.sram->managed == Managed::cache || chip_.dram.is_on_chip()) {
      return fill_capacity();
    }
    std::int64_t activations = 0;
    for (const Placement& p : bound_.placements) {
      if (p.level == Level::shared) activations = std::max(activations, p.address + p.size.count());
    }
    const std::int64_t shared = chip_.sram->size.count() - activations;
    return fill_capacity() + std::max<std::int64_t>(0, shared / 2);
  }

  /// Work, stages and fetches of every kernel of the step, in program order.
  void plan() {
    // Four pieces fit every buffer on the way, so that filling and computing overlap.
    const std::int64_t piece =
        std::max<std::int64_t>(1, std::min(fetch_capacity(), fill_capacity()) / 4);
    StepSize size;
    std::int64_t stages = 0;
    for_each_kernel(bound_, [&](const KernelAt& at) {
      Planned p{at, work_of(bound_, at.block, at.kernel, at.layer, chip_), 1, stages};
      std::int64_t bytes = 0;
      for (const DramTraffic& t : p.work.traffic) bytes += t.write ? 0 : t.stream.length;
      p.stages = std::max(std::min(p.work.steps, kMaxStages), ceil_div(bytes, piece));
      size.add(p.work, p.stages, gap(), options_.clock);
      check_limits(size, bound_, chip_);
      for (std::int64_t s = 0; s < p.stages; ++s) add_fetches(p, s);
      stages += p.stages;
      planned_.push_back(std::move(p));
    });
    fetches_of_.assign(static_cast<std::size_t>(stages) + 1, fetches_.size());
    for (std::size_t i = fetches_.size(); i-- > 0;) {
      fetches_of_[static_cast<std::size_t>(fetches_[i].stage)] = i;
    }
    // A stage without fetches begins where the next one does.
    for (std::size_t s = fetches_of_.size() - 1; s-- > 0;) {
      fetches_of_[s] = std::min(fetches_of_[s], fetches_of_[s + 1]);
    }
  }

  /// Pieces start on dram_units, so that all channels carry alike; the last takes what is left.
  void add_fetches(const Planned& p, std::int64_t s) {
    const std::int64_t unit = bound_.program->dram_unit.count();
    for (const DramTraffic& t : p.work.traffic) {
      if (t.write) continue;
      const auto cut = [&](std::int64_t i) {
        if (i == p.stages) return t.stream.length;
        return static_cast<std::int64_t>(static_cast<__int128_t>(t.stream.length) * i / p.stages) /
               unit * unit;
      };
      const std::int64_t begin = cut(s);
      const std::int64_t length = cut(s + 1) - begin;
      if (length == 0) continue;
      Fetch f;
      f.stage = p.first_stage + s;
      if (chip_.dma) {
        f.in_queues = duration(Bytes(length), dma_bandwidth(*chip_.dma, p.work.active_cores));
      }
      f.transfer.stream = {t.stream.base + begin, length, 0, 0};
      f.ahead = chip_.launch.prefetch && (t.cargo == Cargo::weights || t.cargo == Cargo::cache);
      fetches_.push_back(f);
    }
  }

  /// Hands to the memory every fetch whose time is known. The queue is in program order, as a DMA
  /// queue is: a fetch that must wait holds up those behind it.
  void issue_fetches() {
    while (next_fetch_ < fetches_.size()) {
      Fetch& f = fetches_[next_fetch_];
      if (!f.ahead && f.stage >= launched_stages_) return;
      const Picoseconds room = fetch_buffer_.room_for(f.bytes());
      if (room == kForever) return;
      fetch_buffer_.take(f.bytes());
      last_issue_ = std::max({room, f.ahead ? Picoseconds(0) : launch_, last_issue_});
      f.transfer.ready_at = last_issue_;
      if (chip_.dma) pass_queues(f);
      f.number = memory_.submit(f.transfer);
      ++next_fetch_;
    }
  }

  /// The descriptor of a fetch is read while its queues are at the one before; then its requests
  /// leave as replies make room for them, one round at least.
  void pass_queues(Fetch& f) {
    const Picoseconds first =
        std::max(queues_free_, f.transfer.ready_at + to_picoseconds(chip_.dma->setup));
    f.transfer.ready_at = first;
    f.queued_until = first + std::max(f.in_queues, to_picoseconds(chip_.dma->latency));
    queues_free_ = first + f.in_queues;
  }

  /// The fetches of a stage: from first to last.
  std::pair<std::size_t, std::size_t> fetches_of(std::int64_t stage) const {
    const auto s = static_cast<std::size_t>(stage);
    return {fetches_of_[s], fetches_of_[s + 1]};
  }

  std::int64_t bytes_of(std::int64_t stage) const {
    std::int64_t bytes = 0;
    const auto [begin, end] = fetches_of(stage);
    for (std::size_t i = begin; i < end; ++i) bytes += fetches_[i].bytes();
    return bytes;
  }

  /// When all of a stage is on the chip, and whether memory or the DMA queues held it up.
  struct Fetched {
    Picoseconds time;
    Resource by;
  };
  Fetched arrival_of(std::int64_t stage) {
    Fetched last{Picoseconds(0), memory_resource(chip_)};
    Picoseconds queued(0);
    const auto [begin, end] = fetches_of(stage);
    for (std::size_t i = begin; i < end; ++i) {
      last.time = std::max(last.time, memory_.arrival(fetches_[i].number));
      queued = std::max(queued, fetches_[i].queued_until);
    }
    return queued > last.time ? Fetched{queued, Resource::dma} : last;
  }

  Picoseconds at_clock(Picoseconds time) const { return presil::at_clock(time, options_.clock); }

  Picoseconds gap() const { return to_picoseconds(chip_.launch.gap(options_.launch)); }

  void run_kernel(const Planned& p) {
    check_interrupt();
    launch_ = ledger_.now() + gap();
    launched_stages_ = p.first_stage + p.stages;
    ledger_.charge_until(Resource::launch, launch_);
    Picoseconds at = launch_;
    issue_fetches();
    for (std::int64_t s = 0; s < p.stages; ++s) at = run_stage(p, s, at);
    ledger_.charge_until(engine_of(p.work), at);
    at += p.work.link;
    ledger_.charge_until(Resource::link, at);
    const Picoseconds end = store(p, at);
    ledger_.charge_until(memory_resource(chip_), end);
    KernelTime k = kernel_time(bound_, p.at);
    k.busy = busy_of(p.work);
    k.error_class.regime = regime_of(largest(ledger_.charges()));
    ledger_.close(std::move(k), p.work, end);
  }

  /// What each engine does for the kernel.
  Charges busy_of(const KernelWork& w) const {
    Charges busy{};
    busy[index_of(Resource::matrix)] = at_clock(w.matrix);
    busy[index_of(Resource::vector)] = at_clock(w.vector);
    busy[index_of(Resource::sram)] = at_clock(std::max(w.local, w.shared));
    busy[index_of(Resource::noc)] = at_clock(w.noc);
    busy[index_of(Resource::die_link)] = w.die_link;
    busy[index_of(Resource::dma)] = w.dma;
    busy[index_of(Resource::link)] = w.link;
    busy[index_of(Resource::launch)] = gap();
    return busy;
  }

  /// The engine that computing on a stage takes longest.
  static Resource engine_of(const KernelWork& w) {
    if (w.matrix >= std::max(w.vector, w.local)) return Resource::matrix;
    return w.vector >= w.local ? Resource::vector : Resource::sram;
  }

  /// Fill, then compute; returns when the stage's compute ends. `at` is when the one before ended.
  ///
  /// A stage that had to wait for its data is charged to what brought the data, back to the last
  /// charge: the computing that went on in between was hidden. A stage that found its data waiting
  /// is charged to the engine.
  Picoseconds run_stage(const Planned& p, std::int64_t s, Picoseconds at) {
    const std::int64_t stage = p.first_stage + s;
    const std::int64_t bytes = bytes_of(stage);
    const Picoseconds shared(part_of(at_clock(p.work.shared).count(), s, p.stages));
    const Picoseconds noc(part_of(at_clock(p.work.noc).count(), s, p.stages));
    const Picoseconds die_link(part_of(p.work.die_link.count(), s, p.stages));
    const Picoseconds fill = std::max({shared, noc, die_link});
    const Fetched arrived = arrival_of(stage);

    // Filling streams behind the fetch: it ends when the last byte has come, at the earliest. It
    // runs ahead of the launch only where the chip prefetches, and into free local memory only.
    const Picoseconds room = fill_buffer_.room_for(bytes);
    CHECK(room != kForever, "all stages before this one have been computed");
    fill_buffer_.take(bytes);
    const Picoseconds fill_start =
        std::max({fill_free_, room, chip_.launch.prefetch ? Picoseconds(0) : launch_,
                  p.work.overlapped ? Picoseconds(0) : at});
    fill_free_ = std::max(arrived.time, fill_start + fill);
    const Picoseconds fill_end = fill_free_ + latency_;

    const Picoseconds compute(part_of(
        at_clock(std::max({p.work.matrix, p.work.vector, p.work.local})).count(), s, p.stages));
    const Picoseconds start = std::max(at, fill_end);
    if (fill_end > at) {
      const bool fetch_bound = arrived.time >= fill_start + fill;
      ledger_.charge_until(fetch_bound        ? arrived.by
                           : shared == fill   ? Resource::sram
                           : die_link == fill ? Resource::die_link
                                              : Resource::noc,
                           start);
    } else {
      ledger_.charge_until(engine_of(p.work), start);
    }
    const Picoseconds end = start + compute;

    fill_buffer_.release(bytes, end);
    // Software-managed shared memory is free again once the cores have the data.
    const bool staged = chip_.sram && chip_.sram->managed == Managed::software;
    fetch_buffer_.release(bytes, staged ? fill_end : end);
    issue_fetches();
    return end;
  }

  /// Writes go out behind the kernel. Activations that live in DRAM must have arrived there before
  /// the next kernel reads them; new keys and values are not read again in this step.
  Picoseconds store(const Planned& p, Picoseconds at) {
    std::size_t awaited = 0;
    for (const DramTraffic& t : p.work.traffic) {
      if (!t.write || t.stream.length == 0) continue;
      dram::Transfer transfer;
      transfer.stream = t.stream;
      transfer.write = true;
      transfer.requester = 1;
      transfer.ready_at = at;
      stores_.push_back(memory_.submit(transfer));
      if (t.cargo == Cargo::activations) awaited = stores_.size();
    }
    Picoseconds done = at;
    for (std::size_t i = 0; i < awaited; ++i) done = std::max(done, memory_.arrival(stores_[i]));
    stores_.erase(stores_.begin(), stores_.begin() + static_cast<std::ptrdiff_t>(awaited));
    return done;
  }

  const BoundProgram& bound_;
  const Chip& chip_;
  const CyclesOptions& options_;
  const Picoseconds latency_;  // of the way to the cores
  StepMemory memory_;
  Ledger ledger_;

  std::vector<Planned> planned_;
  std::vector<Fetch> fetches_;
  std::vector<std::size_t> fetches_of_;  // by stage: its first; then the end of the last one's
  std::size_t next_fetch_ = 0;
  Picoseconds last_issue_{0};
  std::vector<std::int64_t> stores_;  // that nothing has waited for yet

  Buffer fetch_buffer_;
  Buffer fill_buffer_;
  Picoseconds launch_{0};
  std::int64_t launched_stages_ = 0;
  Picoseconds fill_free_{0};
  Picoseconds queues_free_{0};
};

}  // namespace

Timeline run_tiles(const BoundProgram& bound, const Chip& chip, const MemoryPart& part,
                   const CyclesOptions& options) {
  return TileRun(bound, chip, part, options).run();
}

}  // namespace presil

#include "cycles/timeline.h"

#include <algorithm>
#include <cmath>

#include "base/integers.h"
#include "base/interrupt.h"
#include "base/progress.h"
#include "cycles/buffer.h"
#include "cycles/law_work.h"
#include "cycles/limits.h"
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
  std::int64_t bytes = 0;
  bool ahead = false;         // may be issued before its kernel is launched
  Picoseconds not_before{0};  // launch of its kernel, once known
  bool launched = false;
};

class Run {
 public:
  Run(const BoundProgram& bound, const Chip& chip, const MemoryPart& part,
      const CyclesOptions& options)
      : bound_(bound),
        chip_(chip),
        options_(options),
        memory_(part, chip.dram),
        fetch_buffer_(fetch_capacity()),
        fill_buffer_(fill_capacity()) {
    CHECK(options.clock > 0 && options.clock <= 1, "a clock between zero and the chip's own");
    result_.dram_peak = memory_.peak();
  }

  Timeline run() {
    plan();
    Progress progress("kernels timed", static_cast<std::int64_t>(planned_.size()));
    std::size_t index = 0;
    for (std::size_t b = 0; b < bound_.blocks.size(); ++b) {
      for (std::int64_t layer = 0; layer < bound_.blocks[b].repeat; ++layer) {
        for (std::size_t k = 0; k < bound_.blocks[b].kernels.size(); ++k) {
          if (options_.library) {
            run_law(planned_[index], b, k, layer);
          } else {
            run_kernel(planned_[index], b, layer);
          }
          ++index;
          progress.advance();
        }
      }
    }
    while (memory_.pending() > 0) note(*memory_.advance(kForever));
    finish();
    return std::move(result_);
  }

 private:
  struct Planned {
    const Kernel* kernel;
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
    for (std::size_t b = 0; b < bound_.blocks.size(); ++b) {
      const BoundBlock& block = bound_.blocks[b];
      for (std::int64_t layer = 0; layer < block.repeat; ++layer) {
        for (std::size_t k = 0; k < block.kernels.size(); ++k) {
          Planned p{block.kernels[k].kernel, work_of(bound_, b, k, layer, chip_), 1, stage_count_};
          std::int64_t bytes = 0;
          for (const DramTraffic& t : p.work.traffic) bytes += t.write ? 0 : t.stream.length;
          p.stages = std::max(std::min(p.work.steps, kMaxStages), ceil_div(bytes, piece));
          for (const DramTraffic& t : p.work.traffic) size.moved += t.stream.length;
          size.busy += engine_time(p.work);
          size.stages += p.stages;
          check_limits(size, bound_, chip_);
          if (options_.library) {
            p.stages = 0;
            read_once(p.work.traffic);
          }
          for (std::int64_t s = 0; s < p.stages; ++s) add_fetches(p, s);
          stage_count_ += p.stages;
          planned_.push_back(std::move(p));
        }
      }
    }
    stage_bytes_.assign(static_cast<std::size_t>(stage_count_), 0);
    for (const Fetch& f : fetches_) stage_bytes_[static_cast<std::size_t>(f.stage)] += f.bytes;
    arrivals_.assign(static_cast<std::size_t>(stage_count_), Picoseconds(0));
    waiting_for_.assign(static_cast<std::size_t>(stage_count_), 0);
    for (const Fetch& f : fetches_) ++waiting_for_[static_cast<std::size_t>(f.stage)];
  }

  /// What a kernel takes at least, whatever the DRAM does.
  Picoseconds engine_time(const KernelWork& w) const {
    const Picoseconds on_chip = std::max({w.shared, w.noc, w.matrix, w.vector, w.local});
    return gap() + at_clock(on_chip) + w.link;
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
      f.transfer.stream = {t.stream.base + begin, length, 0, 0};
      f.transfer.requester = 0;
      f.bytes = length;
      f.ahead = chip_.launch.prefetch && t.cargo != Cargo::activations;
      fetches_.push_back(f);
    }
  }

  /// Hands to the memory every fetch whose time is known. The queue is in program order, as a DMA
  /// queue is: a fetch that must wait holds up those behind it.
  void issue_fetches() {
    while (next_fetch_ < fetches_.size()) {
      Fetch& f = fetches_[next_fetch_];
      if (!f.ahead && f.stage >= launched_stages_) return;
      const Picoseconds room = fetch_buffer_.room_for(f.bytes);
      if (room == kForever) return;
      fetch_buffer_.take(f.bytes);
      f.transfer.ready_at =
          std::max({room, f.ahead ? Picoseconds(0) : launch_, last_issue_, last_arrival_});
      last_issue_ = f.transfer.ready_at;
      submit(f.transfer, f.stage);
      ++next_fetch_;
    }
  }

  /// `stage` is what waits for it, or -1.
  void submit(const dram::Transfer& transfer, std::int64_t stage) {
    const dram::TransferId id = memory_.submit(transfer);
    CHECK(id == static_cast<dram::TransferId>(owners_.size()), "transfers are numbered in order");
    owners_.push_back(stage);
    if (!options_.record_transfers) return;
    result_.transfers.push_back(
        {transfer.ready_at, transfer.ready_at, Bytes(transfer.stream.length), transfer.write});
  }

  void note(const dram::Arrival& arrival) {
    const auto number = static_cast<std::size_t>(arrival.transfer);
    const std::int64_t stage = owners_[number];
    if (options_.record_transfers) result_.transfers[number].end = arrival.time;
    last_arrival_ = std::max(last_arrival_, arrival.time);
    if (stage < 0) {
      ++stores_done_;
      return;
    }
    const auto i = static_cast<std::size_t>(stage);
    arrivals_[i] = std::max(arrivals_[i], arrival.time);
    --waiting_for_[i];
  }

  Picoseconds arrival_of(std::int64_t stage) {
    const auto i = static_cast<std::size_t>(stage);
    while (waiting_for_[i] > 0) {
      const auto arrival = memory_.advance(kForever);
      CHECK(arrival.has_value(), "a fetch that was issued arrives");
      note(*arrival);
    }
    return arrivals_[i];
  }

  Picoseconds at_clock(Picoseconds time) const {
    return options_.clock == 1 ? time : to_picoseconds(to_seconds(time) / options_.clock);
  }

  Picoseconds gap() const { return to_picoseconds(chip_.launch.gap(options_.launch)); }

  /// Charges the time since the last charge to `resource`. What ran meanwhile was hidden behind it.
  void charge_until(Charges& charges, Resource resource, Picoseconds time) {
    if (time <= charged_) return;
    charges[static_cast<std::size_t>(resource)] += time - charged_;
    charged_ = time;
  }

  void run_kernel(const Planned& p, std::size_t block, std::int64_t layer) {
    check_interrupt();
    const Picoseconds begin = now_;
    launch_ = begin + gap();
    launched_stages_ = p.first_stage + p.stages;
    Charges charges{};
    charge_until(charges, Resource::launch, launch_);
    Picoseconds at = launch_;
    issue_fetches();
    for (std::int64_t s = 0; s < p.stages; ++s) at = run_stage(p, s, at, charges);
    charge_until(charges, engine_of(p.work), at);
    at += p.work.link;
    charge_until(charges, Resource::link, at);
    now_ = store(p, at);
    charge_until(charges, memory_resource(), now_);
    record(p, block, layer, begin, charges, busy_of(p.work));
  }

  /// What each engine does for a kernel that is cut into stages.
  Charges busy_of(const KernelWork& w) const {
    Charges busy{};
    busy[index_of(Resource::matrix)] = at_clock(w.matrix);
    busy[index_of(Resource::vector)] = at_clock(w.vector);
    busy[index_of(Resource::sram)] = at_clock(std::max(w.local, w.shared));
    busy[index_of(Resource::noc)] = at_clock(w.noc);
    busy[index_of(Resource::link)] = w.link;
    busy[index_of(Resource::launch)] = gap();
    return busy;
  }

  /// What weights and KV come from.
  Resource memory_resource() const {
    return chip_.dram.is_on_chip() ? Resource::sram : Resource::dram;
  }

  static std::size_t index_of(Resource r) { return static_cast<std::size_t>(r); }

  /// A library's kernel draws its operands over the cache once, however its tiles are cut.
  static void read_once(std::vector<DramTraffic>& traffic) {
    const auto same = [](const DramTraffic& a, const DramTraffic& b) {
      return a.cargo == b.cargo && !a.write && !b.write && a.stream.base == b.stream.base &&
             a.stream.length == b.stream.length;
    };
    traffic.erase(std::unique(traffic.begin(), traffic.end(), same), traffic.end());
  }

  /// The traffic as two plain streams, of a kernel that finds part of its operands in the cache.
  static std::vector<DramTraffic> as_streams(const kernels::Traffic& t) {
    std::vector<DramTraffic> traffic;
    const auto add = [&](double bytes, bool write) {
      const auto length = static_cast<std::int64_t>(std::llround(bytes));
      if (length > 0) traffic.push_back({{0, length, 0, 0}, Cargo::activations, write});
    };
    add(t.read, false);
    add(t.written, true);
    return traffic;
  }

  /// A library's kernel: all its traffic at its launch, then what its law makes of it.
  void run_law(Planned& p, std::size_t block, std::size_t kernel, std::int64_t layer) {
    check_interrupt();
    const LawWork law =
        law_work(bound_, block, kernel, chip_, *options_.library, options_.clock, options_.launch);
    if (law.link) p.work.link = *law.link;
    if (law.traffic) p.work.traffic = as_streams(*law.traffic);
    const Picoseconds begin = now_;
    launch_ = begin + extra_gap();
    const Picoseconds arrived = send_all(p.work.traffic);
    kernels::Terms t = law.terms(to_microseconds(arrived - launch_));
    t.before *= options_.library->launch_share;
    const Picoseconds end =
        launch_ + from_microseconds(total_us(t, to_microseconds(arrived - launch_))) + p.work.link;
    now_ = std::max(end, arrived);

    Charges charges{};
    const Picoseconds after = from_microseconds(t.after);
    const double dram_us = to_microseconds(arrived - launch_) / t.dram_share;
    const double body = kernels::norm(t.work, dram_us, t.overlap);
    charge_until(charges, Resource::link, begin + p.work.link);
    // A floor of the host's is launching too.
    charge_until(charges, Resource::launch, now_ - after - from_microseconds(body));
    charge_until(charges, t.work >= dram_us ? law.engine : memory_resource(), now_ - after);
    charge_until(charges, law.engine, now_);
    Charges busy{};
    busy[index_of(law.engine)] = from_microseconds(t.work) + after;
    busy[index_of(Resource::link)] += p.work.link;
    busy[index_of(Resource::launch)] = extra_gap() + from_microseconds(t.before);
    record(p, block, layer, begin, charges, busy);
  }

  /// A law's start holds the launch as its engine does it; another way of launching costs more.
  Picoseconds extra_gap() const {
    const Launch& launch = chip_.launch;
    const Seconds own = launch.gap(options_.library->software.launch);
    return to_picoseconds(std::max(Seconds(0), launch.gap(options_.launch) - own));
  }

  static double to_microseconds(Picoseconds t) { return static_cast<double>(t.count()) / 1e6; }
  static Picoseconds from_microseconds(double us) { return Picoseconds(std::llround(us * 1e6)); }

  /// Hands all of it to the memory at the launch; when the last of it has arrived.
  Picoseconds send_all(const std::vector<DramTraffic>& traffic) {
    for (const DramTraffic& t : traffic) {
      if (t.stream.length == 0) continue;
      dram::Transfer transfer;
      transfer.stream = t.stream;
      transfer.write = t.write;
      transfer.requester = t.write ? 1 : 0;
      transfer.ready_at = std::max(launch_, last_arrival_);
      submit(transfer, -1);
      ++stores_issued_;
    }
    Picoseconds done = launch_;
    while (stores_done_ < stores_issued_) {
      const auto arrival = memory_.advance(kForever);
      CHECK(arrival.has_value(), "a transfer that was submitted arrives");
      note(*arrival);
      done = std::max(done, arrival->time);
    }
    return done;
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
  Picoseconds run_stage(const Planned& p, std::int64_t s, Picoseconds at, Charges& charges) {
    const std::int64_t stage = p.first_stage + s;
    const std::int64_t bytes = stage_bytes_[static_cast<std::size_t>(stage)];
    const Picoseconds shared(part_of(at_clock(p.work.shared).count(), s, p.stages));
    const Picoseconds noc(part_of(at_clock(p.work.noc).count(), s, p.stages));
    const Picoseconds fill = std::max(shared, noc);
    const Picoseconds arrived = bytes > 0 ? arrival_of(stage) : Picoseconds(0);

    // Filling streams behind the fetch: it ends when the last byte has come, at the earliest. It
    // runs ahead of the launch only where the chip prefetches, and into free local memory only.
    const Picoseconds room = fill_buffer_.room_for(bytes);
    CHECK(room != kForever, "all stages before this one have been computed");
    fill_buffer_.take(bytes);
    const Picoseconds fill_start =
        std::max({fill_free_, room, chip_.launch.prefetch ? Picoseconds(0) : launch_,
                  p.work.overlapped ? Picoseconds(0) : at});
    const Picoseconds fill_end = std::max(arrived, fill_start + fill);
    fill_free_ = fill_end;

    const Picoseconds compute(part_of(
        at_clock(std::max({p.work.matrix, p.work.vector, p.work.local})).count(), s, p.stages));
    const Picoseconds start = std::max(at, fill_end);
    if (fill_end > at) {
      const bool fetch_bound = arrived >= fill_start + fill;
      charge_until(charges,
                   fetch_bound     ? memory_resource()
                   : shared >= noc ? Resource::sram
                                   : Resource::noc,
                   start);
    } else {
      charge_until(charges, engine_of(p.work), start);
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
    std::int64_t awaited = 0;
    for (const DramTraffic& t : p.work.traffic) {
      if (!t.write || t.stream.length == 0) continue;
      dram::Transfer transfer;
      transfer.stream = t.stream;
      transfer.write = true;
      transfer.requester = 1;
      transfer.ready_at = std::max(at, last_arrival_);
      submit(transfer, -1);
      ++stores_issued_;
      if (t.cargo == Cargo::activations) awaited = stores_issued_;
    }
    Picoseconds done = at;
    while (stores_done_ < awaited) {
      const auto arrival = memory_.advance(kForever);
      CHECK(arrival.has_value(), "a store that was issued completes");
      note(*arrival);
      done = std::max(done, arrival->time);
    }
    return done;
  }

  void record(const Planned& p, std::size_t block, std::int64_t layer, Picoseconds begin,
              const Charges& charges, const Charges& busy) {
    KernelTime k;
    k.name = p.kernel->name;
    k.block = bound_.blocks[block].block->name;
    k.layer = bound_.blocks[block].block->first_layer + layer;
    k.start = begin;
    k.end = now_;
    k.bound_by = largest(charges);
    k.flops = p.work.flops;
    for (const DramTraffic& t : p.work.traffic) {
      const Bytes size(t.stream.length);
      k.dram_bytes += size;
      (t.write ? result_.counts.dram_written : result_.counts.dram_read) += size;
      if (t.cargo == Cargo::weights) result_.weight_bytes += size;
      if (t.cargo == Cargo::cache) result_.kv_bytes += size;
    }
    result_.dram_bytes += k.dram_bytes;
    result_.flops += k.flops;
    result_.counts += p.work.counts;
    k.busy = busy;
    for (std::size_t r = 0; r < kResources; ++r) {
      result_.charges[r] += charges[r];
      result_.busy[r] += busy[r];
    }
    result_.kernels.push_back(k);
  }

  void finish() {
    result_.total = now_;
    result_.bound_by = largest(result_.charges);
    result_.memory = memory_.statistics();
    Picoseconds& busy = result_.busy[index_of(memory_resource())];
    busy = std::max(busy, result_.memory.waiting);
    const dram::CommandCounts& c = result_.memory.commands;
    result_.counts.dram_ACT = c.ACT;
    result_.counts.dram_RD = c.RD;
    result_.counts.dram_WR = c.WR;
    result_.counts.dram_REFab = c.REFab;
    result_.counts.dram_REFpb = c.REFpb;
    result_.counts.time = now_;
  }

  const BoundProgram& bound_;
  const Chip& chip_;
  const CyclesOptions& options_;
  dram::Memory memory_;
  Timeline result_;

  std::vector<Planned> planned_;
  std::vector<Fetch> fetches_;
  std::vector<std::int64_t> stage_bytes_;
  std::vector<Picoseconds> arrivals_;
  std::vector<int> waiting_for_;
  std::vector<std::int64_t> owners_;  // by transfer: its stage, or -1 for a store
  std::int64_t stage_count_ = 0;
  std::size_t next_fetch_ = 0;
  Picoseconds last_issue_{0};
  std::int64_t stores_issued_ = 0;
  std::int64_t stores_done_ = 0;

  Buffer fetch_buffer_;
  Buffer fill_buffer_;
  Picoseconds now_{0};
  Picoseconds charged_{0};
  Picoseconds launch_{0};
  std::int64_t launched_stages_ = 0;
  Picoseconds fill_free_{0};
  Picoseconds last_arrival_{0};
};

}  // namespace

void accumulate(Timeline& sum, const Timeline& step) {
  sum.kernels = step.kernels;
  sum.total += step.total;
  for (std::size_t r = 0; r < kResources; ++r) {
    sum.charges[r] += step.charges[r];
    sum.busy[r] += step.busy[r];
  }
  sum.transfers = step.transfers;
  sum.bound_by = largest(sum.charges);
  sum.flops += step.flops;
  sum.weight_bytes += step.weight_bytes;
  sum.kv_bytes += step.kv_bytes;
  sum.dram_bytes += step.dram_bytes;
  sum.counts += step.counts;
  sum.dram_peak = step.dram_peak;
  dram::accumulate(sum.memory, step.memory);
}

Timeline time_step(const BoundProgram& bound, const Chip& chip, const MemoryPart& part,
                   const CyclesOptions& options) {
  return Run(bound, chip, part, options).run();
}

}  // namespace presil

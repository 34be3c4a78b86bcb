// A chip as its file describes it: one schema for GPU, NPU grid, systolic array and phone.
//
//   cores (matrix engine, vector engine, local memory) - network - shared memory - DRAM
//                                                                         \ links to other chips
//
// Everything here was written by somebody; what follows from it (peak FLOP/s, GB/s, balance point)
// is in derived.h. The fields and their units are documented where they are read, in
// chip_reader.cpp and dram_file.cpp, from which `presil schema chip` is made.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/document.h"
#include "base/fields.h"
#include "base/number_format.h"
#include "base/units.h"
#include "chip/die_blocks.h"
#include "chip/network.h"

namespace presil {

/// Who decides what runs next: the compiler (cycle by cycle), in-order engine queues with
/// semaphores, or a hardware scheduler that hands blocks of work to cores as they fall idle.
enum class Control { static_schedule, queues, dynamic };

enum class Dataflow {
  weight_stationary,  // k x n weights sit in the array, rows of activations stream through
  output_stationary,  // m x n results sit in registers, operands stream (tensor cores, mma)
};

/// How a core's matrix engines are programmed, which decides what kernels can do with them.
enum class Issue {
  none,     // no kernel library is known: programs are timed tile by tile
  mma,      // a warp, operands in its registers, which waits (Ampere, Ada, consumer Blackwell)
  wgmma,    // four warps, operands in local memory, asynchronous, any width in steps of 8 (Hopper)
  tcgen05,  // one thread, results in a memory of their own, two cores in a pair (Blackwell)
  mfma,     // a wavefront (CDNA)
  xmx,      // a vector thread of Xe
};

struct MatrixEngine {
  Issue issue = Issue::none;
  Dataflow dataflow = Dataflow::output_stationary;
  // Native block. Weight-stationary: k x n weights are resident, m is the fewest rows worth
  // streaming (1). Output-stationary: the m x n x k of the instruction; short dimensions are
  // padded.
  std::int64_t m = 1, n = 1, k = 1;
  std::map<Format, double> macs_per_cycle;  // of one core, by operand format
  std::optional<Hertz> clock;               // when it differs from the core's
  // Weight-stationary: cycles to load one k x n block of weights, and whether the next block loads
  // while this one computes.
  std::int64_t preload_cycles = 0;
  bool preload_overlapped = true;
};

struct VectorEngine {
  double flops_per_cycle = 1;  // fp32, of one core; a multiply-add counts two
  double exp_per_cycle = 1;    // exponentials (and the like) of one core
  std::optional<Hertz> clock;
};

/// Memory beside one core: shared memory of an SM, scratchpad of a PE, SBUF of a NeuronCore.
struct LocalMemory {
  Bytes size;
  BytesPerCycle read;  // what feeds the core's engines
};

struct Core {
  std::int64_t count = 1;
  Hertz clock;  // of the data sheet's peaks
  std::optional<Hertz>
      boost;  // the highest, which kernels run at while power allows it; at least clock
  MatrixEngine matrix;
  VectorEngine vector;
  LocalMemory sram;
};

enum class Managed { software, cache };

/// Memory that all cores share: L2 of a GPU, the SRAM of MTIA, the TCM of a phone NPU.
struct SharedMemory {
  Bytes size;
  BytesPerSecond read;  // of all cores together
  Managed managed = Managed::software;
  double usable = 1;  // share of `size` that keeps data for reuse
};

enum class Topology { crossbar, mesh, ring, bus, torus, switched, point_to_point };

/// The network link by link, for the contention on them; supply.h says which way data takes.
struct NocLinks {
  BytesPerSecond bandwidth;  // of one link, one direction
  Seconds hop;               // latency of one link
  // A mesh of one die: columns x rows cores. 0 in other topologies.
  std::int64_t columns = 0, rows = 0;
  // Stops of shared memory and DRAM (of one die). Mesh: at the ends of its rows on one side or
  // both, or of its rows and columns on all four. Ring: beside cores, all as far apart.
  std::int64_t memory = 1;
};

/// What carries data from shared memory and DRAM to the cores.
struct Network {
  Topology topology = Topology::crossbar;
  BytesPerSecond bandwidth;    // into all cores together
  std::int64_t multicast = 1;  // cores that one read of shared memory can feed
  double mean_hops = 1;        // for energy
  std::optional<NocLinks> links;
};

/// What fetches from DRAM. Each queue works off descriptors, one after the other: it reads one,
/// then keeps `outstanding` requests in flight.
struct Dma {
  std::int64_t queues = 1;  // of one core
  std::int64_t outstanding = 1;
  Bytes request;    // of one request
  Seconds latency;  // from a request to its data, DRAM included, when nothing else goes on
  Seconds setup;    // from a descriptor to its first request
};

enum class Refresh { off, all_bank, per_bank };
enum class PagePolicy { open, closed, adaptive };
enum class Scheduler { fr_fcfs, fcfs };
enum class Ecc { none, inside };  // inside: codes lie in the rows beside their data

/// The DRAM controller in front of each pseudo-channel; docs/dram_controller.md says what it does.
struct Controller {
  Scheduler scheduler = Scheduler::fr_fcfs;
  std::int64_t queue = 32;  // entries for reads, and as many for writes; at most kMaxQueue
  double write_low = 0.2;   // writes are drained down to this share of their queue ...
  double write_high = 0.8;  // ... once it is fuller than this
  // Row hits and reads wait for a request that has waited this long; zero: never.
  Picoseconds starvation{10'000'000};
  // The refreshes of a pseudo-channel come this share of the interval after those of the one
  // before.
  double refresh_stagger = 0;
  std::int64_t postpone = 0;       // refreshes that may be owed while requests wait, 0 to 8
  std::int64_t rfm_threshold = 0;  // activates of a bank between two RFM; 0: no RFM

  static constexpr std::int64_t kMaxQueue = 64;
};

struct Dram {
  /// The part of a chip without DRAM (sram_part.h); no file can be called so by a chip.
  static constexpr std::string_view kOnChip = "on-chip SRAM";

  std::string part;  // a file in memories/
  std::int64_t stacks = 1;
  BitsPerSecond rate;  // a pin; at most the part's own, which load_chip fills in when none is given
  Refresh refresh = Refresh::all_bank;
  PagePolicy page_policy = PagePolicy::open;
  Controller controller;
  bool hot = false;  // above 85 C: refreshed twice as often
  Ecc ecc = Ecc::none;
  std::string mapping;            // "" is the part's default
  std::optional<Bytes> capacity;  // of all stacks, when it is not stacks x the part's

  bool is_on_chip() const { return part == kOnChip; }
};

/// What joins chips into a group without a network between them.
struct Link {
  Topology topology = Topology::switched;  // bus: PCIe through the host
  BytesPerSecond bandwidth;                // out of one chip, all its links together, one direction
  Seconds latency;                         // of one hop, software included
  std::int64_t max_group = 1;
  // Equal links that `bandwidth` is the sum of, each to another neighbour; 0: any peer can be sent
  // all of it.
  std::int64_t links = 0;
  bool in_switch = false;  // the switch can add what chips send (NVLink SHARP)
  Band energy;             // J/bit sent, both ends
};

struct Power {
  Watts limit;
  Watts idle;  // drawn whatever runs, DRAM refresh and leakage included
  // Drawn by cores that run, on top of idle and of their events, at the full clock: clock trees,
  // instruction fetch and issue, schedulers.
  Watts active;
  double min_clock = 0.5;  // lowest step under a power limit, as a share of core.clock
  // Energy of an operation over that of its bare arithmetic in the node's table: operand delivery,
  // registers, clock tree, issue.
  double control_overhead = 1;
};

/// Launched from the host one by one, queued behind each other, or recorded once and replayed.
enum class LaunchMode { eager, stream, graph };
std::string_view to_string(LaunchMode mode);

/// What stands between the end of one kernel and the start of the next.
struct Launch {
  Seconds eager, stream, graph;  // by mode
  bool prefetch = false;         // the next kernel's weights may load before this one has ended

  Seconds gap(LaunchMode mode) const {
    return mode == LaunchMode::eager ? eager : mode == LaunchMode::stream ? stream : graph;
  }
};

/// What joins the dies of a package.
struct DieLink {
  BytesPerSecond bandwidth;  // into one die from all others, one direction
  Seconds latency;
  Band energy;  // J/bit, both ends
};

struct Die {
  SquareMillimetres area;  // the sum of its blocks, which load_chip fills in when none is given
  std::vector<DieBlock> blocks;            // what it is made of, as far as the file says
  std::string node;                        // a file in nodes/
  std::int64_t count = 1;                  // equal dies in the package
  std::int64_t enabled = 1, physical = 1;  // cores sold and cores etched, for harvesting
  double core_share = 0;  // share of the area in cores, where a defect costs one core, not the die
  std::optional<DieLink> link;  // without it the dies work as one
};

struct PackageChoice {
  std::string kind;  // a file in packages/
  std::optional<SquareMillimetres> interposer;
};

struct Chip {
  std::string name;
  std::string vendor;
  std::string year;
  std::vector<std::string> alias;  // names used in measured data
  Control control = Control::queues;
  Core core;
  std::optional<SharedMemory> sram;
  Network noc;
  Dram dram;
  std::optional<Dma> dma;  // without it fetches are as fast as memory and network
  std::optional<Link> link;
  std::string network;                // a file in networks/; "": nothing joins larger groups
  std::optional<ScaleOut> scale_out;  // that file, which load_chip fills in
  Power power;
  Launch launch;
  Die die;
  PackageChoice package;
  std::optional<Band> price;  // USD, what a buyer pays; without it the chip is its maker's, at cost
  Sources sources;
};

std::string_view to_string(Issue issue);

/// Validates and converts a parsed chip file. Throws InputError with every complaint.
Chip read_chip(const Node& root);

/// Describes the schema, for `presil schema chip`.
Schema chip_schema();

}  // namespace presil

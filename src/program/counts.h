// What happened, in integers: counted by `cycles`, multiplied by joules once, in `cost`.
#pragma once

#include <cstdint>
#include <map>

#include "base/number_format.h"
#include "base/units.h"

namespace presil {

/// Events of one chip over one run of a program.
struct Counts {
  std::map<Format, std::int64_t> macs;  // multiply-accumulates by the format multiplied
  std::int64_t vector_flops = 0;
  std::int64_t exponentials = 0;
  Bytes local_bytes;     // read and written in local memories
  Bytes shared_bytes;    // read and written in shared memory
  Bytes noc_bytes;       // carried to cores, a multicast counted once a destination
  Bytes die_link_bytes;  // passed from die to die
  Bytes link_bytes;      // sent to other chips of a node
  Bytes network_bytes;   // sent to chips of other nodes
  // DRAM commands, over all channels
  std::int64_t dram_ACT = 0, dram_RD = 0, dram_WR = 0, dram_REFab = 0, dram_REFpb = 0;
  Bytes dram_read, dram_written;
  Picoseconds time;

  Counts& operator+=(const Counts& other);
};

}  // namespace presil

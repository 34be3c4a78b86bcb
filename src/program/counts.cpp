#include "program/counts.h"

namespace presil {

Counts& Counts::operator+=(const Counts& other) {
  for (const auto& [format, n] : other.macs) macs[format] += n;
  vector_flops += other.vector_flops;
  exponentials += other.exponentials;
  local_bytes += other.local_bytes;
  shared_bytes += other.shared_bytes;
  noc_bytes += other.noc_bytes;
  die_link_bytes += other.die_link_bytes;
  link_bytes += other.link_bytes;
  network_bytes += other.network_bytes;
  dram_ACT += other.dram_ACT;
  dram_RD += other.dram_RD;
  dram_WR += other.dram_WR;
  dram_REFab += other.dram_REFab;
  dram_REFpb += other.dram_REFpb;
  dram_read += other.dram_read;
  dram_written += other.dram_written;
  time += other.time;
  return *this;
}

}  // namespace presil

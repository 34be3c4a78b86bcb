// What parts of a step cost, as step tables keep it.
#pragma once

namespace presil {

/// What a part of a step costs one chip of a stage.
struct PartCost {
  double full_s = 0;   // at the full clock
  double slow_s = 0;   // at the slow clock of the table
  double event_j = 0;  // of its events: without idle, refresh and active power
  double dram_bytes = 0;
  double flops = 0;

  PartCost& operator+=(const PartCost& other) {
    full_s += other.full_s;
    slow_s += other.slow_s;
    event_j += other.event_j;
    dram_bytes += other.dram_bytes;
    flops += other.flops;
    return *this;
  }
  friend PartCost operator+(PartCost a, const PartCost& b) { return a += b; }
  friend PartCost operator*(const PartCost& a, double k) {
    return {a.full_s * k, a.slow_s * k, a.event_j * k, a.dram_bytes * k, a.flops * k};
  }
};

}  // namespace presil

// The features of a chip that kernel laws see: numbers only, never its name.
#pragma once

#include <map>
#include <string>

#include "base/number_format.h"
#include "chip/library.h"

namespace presil::kernels {

struct Machine {
  std::string generation;  // of the matrix engines' instructions: "mma", "wgmma", "tcgen05", ...
  double cores = 1;        // that a grid is spread over
  double clock_ghz = 1;    // kernels run at: the highest, when measured rows locked it
  std::map<Format, double> macs_per_cycle;  // of one core
  double vector_flops_per_cycle = 1;        // of one core
  double exp_per_cycle = 1;                 // of one core
  double local_bytes = 0;                   // beside one core
  double local_bytes_per_cycle = 128;       // read there
  double l2_bytes = 0;                      // that keep data for reuse
  double l2_gbs = 0;                        // read, all cores together
  double dram_gbs = 0;                      // data sheet
  double dram_stream_gbs = 0;               // of a long sequential read, by the memory engine
  double power_limit_w = 0;
  double power_idle_w =
      0;  // beside what events cost: idle, and clocks and schedulers of running cores
  std::map<Format, double> pj_per_flop;  // of the matrix engines at the full clock, with delivery
  double dies = 1;                       // that share the package's L2
  double link_gbs = 0;                   // out of one chip, one direction
  double link_latency_us = 0;            // of one hop

  /// Of all cores at clock_ghz, a multiply-add counting two; 0 when the engines lack the format.
  double peak_tflops(Format format) const;
};

/// `dram_stream_gbs`: what the memory engine measured of the chip's DRAM (cycles/dram_stream.h).
Machine machine_of(const ChipFiles& files, double dram_stream_gbs);

}  // namespace presil::kernels

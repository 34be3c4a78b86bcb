#include "kernels/rowwise_law.h"

#include <algorithm>

namespace presil::kernels {
namespace {

// A lone product of one row takes 3 us in a graph on A100 and H100, launch and drain included; a
// kernel without a main loop has less to set up.
constexpr double kStartUs = 2;
// Of the last-level cache's and the DRAM's bandwidth, by one pass over rows.
constexpr double kCopyShare = 0.85;

}  // namespace

Terms rowwise_terms(const RowwiseCall& call, const Machine& m) {
  Terms t;
  t.kernel = "rowwise";
  t.before = kStartUs;
  const double flops_a_us = m.cores * m.vector_flops_per_cycle * m.clock_ghz * 1e3;
  const double cache_us = m.l2_gbs > 0 ? call.cache_bytes / (m.l2_gbs * 1e3 * kCopyShare) : 0;
  t.work = std::max(call.elements * call.flops_an_element / flops_a_us, cache_us);
  t.dram_share = kCopyShare;
  return t;
}

}  // namespace presil::kernels

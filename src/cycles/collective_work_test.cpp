#include "cycles/collective_work.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace presil {
namespace {

/// One exchange of 1,000 fp16 a token between four chips.
Program exchange(Op op, std::int64_t group = 4) {
  Program p;
  p.cores = 1;
  p.shared_memory = 1_GiB;
  p.dram_capacity = 1_GiB;
  p.dram_unit = Bytes(1024);
  p.max_context = 1 << 20;
  p.tensors = {{"in", Role::activation, Format::fp16, Scaling::none, {1, Symbol::T}, 1000, 0, 0},
               {"out", Role::activation, Format::fp16, Scaling::none, {1, Symbol::T}, 1000, 0, 0}};
  Kernel k;
  k.name = "exchange";
  k.op = op;
  k.group = group;
  k.group = group;
  k.inputs = {0};
  k.outputs = {1};
  k.extents[static_cast<std::size_t>(Axis::m)] = {1, Symbol::T};
  k.extents[static_cast<std::size_t>(Axis::n)] = {1000, Symbol::one};
  k.mappings = {{kAnyRows, {{Axis::m, 1, Over::cores}, {Axis::n, 1000, Over::time}}, 1}};
  Block block;
  block.name = "layer";
  block.kernels = {k};
  p.blocks = {block};
  return p;
}

/// One core; links of 100 GB/s and 1 us between eight chips.
Chip chip() {
  Chip c;
  c.name = "tiny";
  c.core.count = 1;
  c.core.clock = Hertz(1e9);
  c.core.vector.flops_per_cycle = 8;
  c.core.sram.read = BytesPerCycle(64);
  c.noc.bandwidth = BytesPerSecond(1e12);
  Link link;
  link.bandwidth = BytesPerSecond(100e9);
  link.latency = Seconds(1e-6);
  link.max_group = 8;
  c.link = link;
  return c;
}

/// Ten million bytes in the exchange: 5,000 tokens.
KernelWork work(Op op, const Chip& on, std::int64_t group = 4) {
  const Program program = exchange(op, group);
  const BoundProgram bound = bind(program, Step{{{5000, 0}}}).value();
  return work_of(bound, 0, 0, 0, on);
}

double link_us(const KernelWork& w) {
  return static_cast<double>(w.link.count()) / 1e6;
}

TEST(CollectiveWork, EachExchangeTakesItsHopsAndBytes) {
  // 10 MB at 100 GB/s are 100 us. All-gather: each holds 10 MB of 40.
  EXPECT_NEAR(link_us(work(Op::all_reduce, chip())), 2 * 0.75 * 100 + 2, 1e-6);
  EXPECT_NEAR(link_us(work(Op::all_gather, chip())), 3 * 100 + 1, 1e-6);
  EXPECT_NEAR(link_us(work(Op::reduce_scatter, chip())), 0.75 * 100 + 1, 1e-6);
  EXPECT_NEAR(link_us(work(Op::all_to_all, chip())), 0.75 * 100 + 1, 1e-6);
  EXPECT_NEAR(link_us(work(Op::send_recv, chip())), 100 + 1, 1e-6);
}

TEST(CollectiveWork, WhatIsSentIsCountedByWhatCarriesIt) {
  EXPECT_EQ(work(Op::all_reduce, chip()).counts.link_bytes, Bytes(15'000'000));
  EXPECT_EQ(work(Op::all_reduce, chip()).counts.network_bytes, Bytes(0));

  Chip joined = chip();
  joined.scale_out.emplace();
  joined.scale_out->bandwidth = BytesPerSecond(10e9);
  joined.scale_out->adapters = 8;
  joined.scale_out->latency = Seconds(3e-6);
  // Sixteen chips in two nodes: 15/16 of 10 MB twice, an eighth of it from node to node.
  const Counts two_nodes = work(Op::all_reduce, joined, 16).counts;
  EXPECT_EQ(two_nodes.link_bytes + two_nodes.network_bytes, Bytes(18'750'000));
  EXPECT_EQ(two_nodes.network_bytes, Bytes(18'750'000 / 8));
}

TEST(CollectiveWork, RanksOfANodeShareItsAdaptersWhenTheySendToTheNextStage) {
  Chip joined = chip();
  joined.scale_out.emplace();
  joined.scale_out->bandwidth = BytesPerSecond(10e9);
  joined.scale_out->adapters = 4;
  joined.scale_out->chips_per_adapter = 2;
  joined.scale_out->latency = Seconds(3e-6);
  // Two groups of four fit into a node of eight; of eight they do not, and eight share 40 GB/s.
  EXPECT_NEAR(link_us(work(Op::send_recv, joined, 4)), 100 + 1, 1e-6);
  EXPECT_NEAR(link_us(work(Op::send_recv, joined, 8)), 2000 + 3, 1e-6);
}

TEST(CollectiveWork, ChipsThatNothingJoinsAreRefused) {
  EXPECT_THROW(work(Op::all_reduce, chip(), 16), InputError);
  Chip alone = chip();
  alone.link.reset();
  EXPECT_THROW(work(Op::all_to_all, alone), InputError);
}

}  // namespace
}  // namespace presil

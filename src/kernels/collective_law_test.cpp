#include "kernels/collective_law.h"

#include <cmath>

#include <gtest/gtest.h>

#include "base/error.h"

namespace presil::kernels {
namespace {

constexpr Collective kAll[] = {Collective::all_reduce, Collective::all_gather,
                               Collective::reduce_scatter, Collective::all_to_all,
                               Collective::send_recv};
constexpr const char* kEngines[] = {"ideal", "nccl", "trtllm", "vllm", "sglang", "pytorch"};

/// Eight to a node, 400 GB/s; a 50 GB/s adapter beside each.
Chip chip() {
  Chip c;
  c.name = "tiny";
  Link link;
  link.bandwidth = BytesPerSecond(400e9);
  link.latency = Seconds(1e-6);
  link.max_group = 8;
  c.link = link;
  ScaleOut network;
  network.bandwidth = BytesPerSecond(50e9);
  network.adapters = 8;
  network.latency = Seconds(2e-6);
  c.scale_out = network;
  return c;
}

Machine machine() {
  Machine m;
  m.generation = "wgmma";
  m.clock_ghz = 1.98;
  m.dram_stream_gbs = 3000;
  return m;
}

std::vector<double> first_guesses() {
  std::vector<double> values;
  for (const ConstantInfo& c : collective_law().constants) values.push_back(c.start);
  return values;
}

double us(const CollectiveCall& call, const char* engine = "nccl", const char* mode = "graph") {
  const Machine m = machine();
  return total_us(collective_terms(call, m, collective_situation(engine, mode, m), first_guesses()),
                  0);
}

TEST(CollectiveLaw, TheIdealTimeIsHopsAndBytes) {
  const Fabric f = fabric_of(chip(), 4);
  // Two shots: 2 x 3/4 of 400 MB at 400 GB/s in two hops of 1 us.
  EXPECT_DOUBLE_EQ(us({Collective::all_reduce, 400e6, f}, "ideal"), 1500 + 2);
  EXPECT_DOUBLE_EQ(us({Collective::all_gather, 400e6, f}, "ideal"), 750 + 1);
  EXPECT_DOUBLE_EQ(us({Collective::send_recv, 400e6, f}, "ideal"), 1000 + 1);
  // One shot: a hop less, three times 400 bytes.
  EXPECT_DOUBLE_EQ(us({Collective::all_reduce, 400, f}, "ideal"), 1 + 0.003);
}

TEST(CollectiveLaw, ASwitchThatAddsHalvesWhatIsSent) {
  Chip c = chip();
  c.link->in_switch = true;
  EXPECT_DOUBLE_EQ(us({Collective::all_reduce, 400e6, fabric_of(c, 8)}, "ideal"), 1000 + 2);
}

TEST(CollectiveLaw, NothingIsFasterThanItsBytesAtTheFullRate) {
  for (const char* engine : kEngines) {
    for (const Collective kind : kAll) {
      for (const std::int64_t ranks : {2, 4, 8}) {
        for (double bytes = 512; bytes < 1e10; bytes *= 3) {
          const CollectiveCall call{kind, bytes, fabric_of(chip(), ranks)};
          const double time = us(call, engine);
          EXPECT_TRUE(std::isfinite(time));
          // In-place sums of two ranks: each must send the whole message.
          EXPECT_GE(time, bytes_sent(call).link / 400e3) << engine << " " << bytes;
        }
      }
    }
  }
}

TEST(CollectiveLaw, MoreBytesTakeLongerExceptAtAChangeOfKernel) {
  for (const Collective kind : kAll) {
    double before = 0;
    for (double bytes = 512; bytes < 1e10; bytes *= 1.5) {
      const double time = us({kind, bytes, fabric_of(chip(), 8)});
      EXPECT_GT(time, before);
      before = time;
    }
  }
}

TEST(CollectiveLaw, AGroupOfOneExchangesNothing) {
  EXPECT_EQ(us({Collective::all_reduce, 1e6, fabric_of(chip(), 1)}), 0);
}

TEST(CollectiveLaw, EnginesTakeTheirOwnKernelForSmallMessagesOnly) {
  const Fabric f = fabric_of(chip(), 4);
  for (const char* engine : {"trtllm", "vllm", "sglang"}) {
    EXPECT_LT(us({Collective::all_reduce, 16e3, f}, engine),
              0.7 * us({Collective::all_reduce, 16e3, f}, "nccl"));
    EXPECT_EQ(us({Collective::all_reduce, 512e6, f}, engine),
              us({Collective::all_reduce, 512e6, f}, "nccl"));
  }
}

TEST(CollectiveLaw, AnEagerCallTakesAsLongAsItsHost) {
  const Fabric f = fabric_of(chip(), 2);
  // The host's 35 us (first guess), whatever the size of a small message.
  EXPECT_DOUBLE_EQ(us({Collective::all_reduce, 512, f}, "vllm", "eager"), 35);
  EXPECT_DOUBLE_EQ(us({Collective::all_reduce, 4096, f}, "vllm", "eager"), 35);
  // A large one is copied first: read and written at 3000 GB/s.
  EXPECT_NEAR(us({Collective::all_reduce, 300e6, f}, "vllm", "eager"),
              us({Collective::all_reduce, 300e6, f}, "vllm") + 200, 1e-6);
}

TEST(CollectiveLaw, AcrossNodesTheNetworkLimits) {
  const CollectiveCall inside{Collective::all_reduce, 1e9, fabric_of(chip(), 8)};
  const CollectiveCall across{Collective::all_reduce, 1e9, fabric_of(chip(), 16, 1)};
  EXPECT_EQ(across.fabric.nodes(), 16);
  EXPECT_EQ(bytes_sent(across).link, 0);
  EXPECT_GT(us(across), 5 * us(inside));

  // Eight ranks of a node reach eight adapters: 400 GB/s.
  EXPECT_DOUBLE_EQ(fabric_of(chip(), 16).network_gbs, 400);
}

/// The kernel that an all-reduce of so many bytes over these groups takes.
std::string chosen(double bytes, std::int64_t ranks, std::int64_t ranks_a_node) {
  const Machine m = machine();
  Chip c = chip();
  c.scale_out->adapters = 1;
  c.scale_out->bandwidth = BytesPerSecond(12.5e9);
  return collective_terms({Collective::all_reduce, bytes, fabric_of(c, ranks, ranks_a_node)}, m,
                          collective_situation("nccl", "graph", m), first_guesses())
      .kernel;
}

TEST(CollectiveLaw, TheLibrarysTableChoosesBetweenTreeAndRing) {
  // Two nodes of two: a ring sends 3/2 of the message, a tree all of it at 0.92 of the rate times
  // the table's share: 0.8 from 8 MiB on, 0.7 before and after. 1 / (0.92 x 0.8) = 1.36 < 1.5 <
  // 1.55 = 1 / (0.92 x 0.7). The measured rows of such a group step there by twice.
  constexpr double kMiB = 1 << 20;
  EXPECT_EQ(chosen(7.9 * kMiB, 4, 2), "ring across nodes");
  EXPECT_EQ(chosen(8.1 * kMiB, 4, 2), "tree across nodes");
  EXPECT_EQ(chosen(15.9 * kMiB, 4, 2), "tree across nodes");
  EXPECT_EQ(chosen(16.1 * kMiB, 4, 2), "ring across nodes");
  // Of one rank a node both send all, and the ring has the better rate.
  EXPECT_EQ(chosen(10 * kMiB, 2, 1), "ring across nodes");
}

TEST(CollectiveLaw, ASmallMessageOverManyNodesTakesATree) {
  // 2 x 511 steps of a ring, or six levels up and down.
  const Machine m = machine();
  const Terms t = collective_terms({Collective::all_reduce, 1e6, fabric_of(chip(), 512)}, m,
                                   collective_situation("nccl", "graph", m), first_guesses());
  EXPECT_EQ(t.kernel, "tree across nodes");
}

TEST(CollectiveLaw, ANodeSendsOnceForAllItsRanks) {
  const CollectiveCall call{Collective::all_gather, 160, fabric_of(chip(), 16)};
  // 15/16 of 160 bytes enter and leave each rank; an eighth of them crosses.
  EXPECT_DOUBLE_EQ(bytes_sent(call).network, 150.0 / 8);
  EXPECT_DOUBLE_EQ(bytes_sent(call).link, 150 - 150.0 / 8);
}

TEST(CollectiveLaw, LinksToChipsOutsideTheGroupCarryNothing) {
  Chip c = chip();
  c.link->topology = Topology::point_to_point;
  c.link->links = 7;
  // One of seven links joins a pair; a group of eight uses them all.
  EXPECT_DOUBLE_EQ(fabric_of(c, 2).link_gbs, 400.0 / 7);
  EXPECT_DOUBLE_EQ(fabric_of(c, 8).link_gbs, 400);
}

TEST(CollectiveLaw, AGroupThatNothingJoinsIsRefused) {
  Chip c = chip();
  c.scale_out.reset();
  try {
    fabric_of(c, 16);
    FAIL();
  } catch (const InputError& e) {
    EXPECT_NE(std::string(e.what()).find("16 chips are more than the 8 that tiny joins"),
              std::string::npos)
        << e.what();
  }
}

}  // namespace
}  // namespace presil::kernels

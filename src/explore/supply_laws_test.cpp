// Laws of what brings data to the cores: links of the network, links between dies, DMA queues.
#include <gtest/gtest.h>

#include "chip/library.h"
#include "chip/supply.h"
#include "compiler/compile.h"
#include "cost/energy.h"
#include "cycles/timeline.h"
#include "model/registry.h"

namespace presil {
namespace {

const std::filesystem::path kHome = PRESIL_SOURCE_DIR;
constexpr double kSlack = 1.005;

struct Case {
  std::string chip;
  Step step;
};

std::vector<Step> steps() {
  return {{{{1, 1024}}}, {{{300, 0}}}};
}

ChipFiles files_of(const std::string& chip, std::vector<std::string> set = {}) {
  return load_chip(chip, set, kHome);
}

Timeline timed(const ChipFiles& files, const Step& step) {
  CompileOptions options;
  options.numerics = load_numerics("bf16", {}, kHome).numerics;
  const Architecture model = read_architecture(resolve_model("smollm2-135m", kHome));
  const Program program = compile(model, files.chip, files.memory, options).value();
  return time_step(bind(program, step).value(), files.chip, files.memory);
}

double seconds(const ChipFiles& files, const Step& step) {
  return to_seconds(timed(files, step).total).count();
}

Picoseconds charged(const Timeline& t, Resource r) {
  return t.charges[static_cast<std::size_t>(r)];
}

TEST(SupplyLaws, ANarrowerLinkBetweenDiesIsNeverFasterAndAnUnlimitedOneIsNone) {
  for (const Step& step : steps()) {
    ChipFiles files = files_of("apple-m2-ultra");
    files.chip.die.link.reset();
    const double one_die = seconds(files, step);
    files.chip.die.link = DieLink{BytesPerSecond(1e24), Seconds(0), {}};
    EXPECT_EQ(seconds(files, step), one_die);
    double wider = one_die;
    for (const double gbs : {1000.0, 100.0, 10.0, 1.0}) {
      files.chip.die.link->bandwidth = BytesPerSecond(gbs * 1e9);
      const double time = seconds(files, step);
      EXPECT_GE(time * kSlack, wider) << gbs;
      wider = time;
    }
    files.chip.die.link->latency = Seconds(1e-6);
    EXPECT_GT(seconds(files, step), wider);
  }
}

TEST(SupplyLaws, ANarrowLinkBetweenDiesIsWhatBoundsAndItsBitsCostEnergy) {
  ChipFiles files = files_of("apple-m2-ultra");
  files.chip.die.link = DieLink{BytesPerSecond(10e9), Seconds(20e-9), Band{0.5e-12, 1e-12, 2e-12}};
  const Timeline t = timed(files, {{{1, 1024}}});

  EXPECT_EQ(t.bound_by, Resource::die_link);
  // Half of what is read crosses at least, over both directions.
  const auto crossed = static_cast<double>(t.counts.die_link_bytes.count());
  EXPECT_GE(crossed, static_cast<double>(t.weight_bytes.count()) / 2);
  EXPECT_GE(to_seconds(t.total).count(), crossed / 20e9);
  double joules = 0;
  for (const EnergyLine& line : energy(t.counts, files).lines) {
    if (line.name == "die_link") joules = line.joules.typical;
  }
  EXPECT_NEAR(joules, crossed * 8e-12, crossed * 1e-17);
}

TEST(SupplyLaws, NarrowerLinksOfANetworkAreNeverFasterAndUnlimitedOnesAreNone) {
  for (const Step& step : steps()) {
    ChipFiles files = files_of("mtia-v2");
    files.chip.noc.links.reset();
    const double aggregate = seconds(files, step);
    files.chip.noc.links = NocLinks{BytesPerSecond(1e24), Seconds(0), 8, 8, 16};
    EXPECT_EQ(seconds(files, step), aggregate);
    double wider = aggregate;
    for (const double gbs : {200.0, 20.0, 2.0}) {
      files.chip.noc.links->bandwidth = BytesPerSecond(gbs * 1e9);
      const double time = seconds(files, step);
      EXPECT_GE(time * kSlack, wider) << gbs;
      wider = time;
    }
    EXPECT_EQ(timed(files, step).bound_by, Resource::noc);
    files.chip.noc.links->hop = Seconds(1e-7);
    EXPECT_GT(seconds(files, step), wider);
  }
}

TEST(SupplyLaws, MoreStopsOfMemoryAreNeverSlower) {
  ChipFiles files = files_of("mtia-v2");
  for (const Topology topology : {Topology::ring, Topology::mesh, Topology::crossbar}) {
    files.chip.noc.topology = topology;
    double before = 1e9;
    for (const std::int64_t memory : {8, 16, 32}) {
      files.chip.noc.links = NocLinks{BytesPerSecond(5e9), Seconds(0), 8, 8, memory};
      const double time = seconds(files, {{{1, 1024}}});
      EXPECT_LE(time, before * kSlack) << memory;
      before = time;
    }
  }
}

TEST(SupplyLaws, QueuesWithTooLittleInFlightBoundWhatIsFetched) {
  ChipFiles files = files_of("trainium2");
  files.chip.dma = Dma{1, 4, Bytes(512), Seconds(2e-6), Seconds(1e-6)};
  const double rate = dma_bandwidth(*files.chip.dma, files.chip.core.count).count();
  for (const Step& step : steps()) {
    const Timeline t = timed(files, step);
    EXPECT_EQ(t.bound_by, Resource::dma);
    const auto read = static_cast<double>(t.counts.dram_read.count());
    EXPECT_GE(to_seconds(t.total).count(), read / rate);
    EXPECT_LE(t.busy[static_cast<std::size_t>(Resource::dma)], t.total);
    EXPECT_EQ(charged(t, Resource::dma) > Picoseconds(0), true);
  }
}

TEST(SupplyLaws, MoreQueuesAreNeverSlowerAndUnlimitedOnesAreNone) {
  for (const Step& step : steps()) {
    ChipFiles files = files_of("trainium2");
    files.chip.dma.reset();
    const double none = seconds(files, step);
    files.chip.dma = Dma{1024, 65536, Bytes(1 << 20), Seconds(1e-12), Seconds(0)};
    EXPECT_NEAR(seconds(files, step), none, none * 1e-6);
    double before = 1e9;
    for (const std::int64_t queues : {1, 2, 4, 16, 64}) {
      files.chip.dma = Dma{queues, 16, Bytes(512), Seconds(2e-6), Seconds(1e-6)};
      const double time = seconds(files, step);
      EXPECT_LE(time, before * kSlack) << queues;
      EXPECT_GE(time * kSlack, none) << queues;
      before = time;
    }
  }
}

TEST(SupplyLaws, AFetchPaysItsDescriptorUnlessItWasHandedOverAhead) {
  const Step step{{{1, 64}}};
  ChipFiles files = files_of("trainium2", {"launch.prefetch=false"});
  files.chip.dma = Dma{16, 4096, Bytes(512), Seconds(1e-6), Seconds(0)};
  const Timeline quick = timed(files, step);
  files.chip.dma->setup = Seconds(5e-6);
  const Timeline slow = timed(files, step);
  std::int64_t fetching = 0;
  for (const KernelTime& k : quick.kernels) fetching += k.dram_bytes > Bytes(0) ? 1 : 0;
  // Each kernel waits for its first fetch at least. Some only write: new keys and values.
  EXPECT_GE(to_seconds(slow.total - quick.total).count(), 4e-6 * static_cast<double>(fetching) / 2);

  files.chip.launch.prefetch = true;
  const Timeline ahead = timed(files, step);
  EXPECT_LT(ahead.total, slow.total);
}

}  // namespace
}  // namespace presil

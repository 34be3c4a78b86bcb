#include "dram/run/figures.h"

#include <gtest/gtest.h>

namespace presil::dram {
namespace {

std::int64_t& of(ChannelCounts& counts, Command command) {
  return counts.commands[static_cast<std::size_t>(command)];
}

/// Two pseudo-channels with bursts of 2 CK of two ticks, of 32 bytes, at 1.6 GHz; 1,000 ticks.
SimulationResult sample() {
  SimulationResult r{.clock = DramClock(Hertz(3.2e9))};
  r.ticks = 1000;
  r.atoms = 300;
  r.bytes = 9600;
  r.peak = BytesPerSecond(51.2e9);
  of(r.counts, Command::RD) = 200;
  of(r.counts, Command::WR) = 100;
  of(r.counts, Command::ACT) = 40;
  of(r.counts, Command::REFpb) = 8;
  of(r.counts, Command::RFM) = 2;
  r.counts.refresh_ticks = 100;
  r.counts.row_ticks = 300;
  r.counts.turnaround_ticks = 50;
  r.banks.resize(2);
  return r;
}

MemoryPart part() {
  MemoryPart p;
  p.width = 32;
  p.burst_length = 8;
  p.bits_per_clock = 4;
  p.ticks_per_clock = 2;
  return p;
}

TEST(Figures, ATickLasts312Point5Picoseconds) {
  const SimulationResult r = sample();
  EXPECT_DOUBLE_EQ(time_of(r).count(), 312.5e-9);
  EXPECT_DOUBLE_EQ(time_of(r, 0.5).count(), 156.25e-12);
}

TEST(Figures, BandwidthIsBytesOverTime) {
  const SimulationResult r = sample();
  EXPECT_DOUBLE_EQ(bandwidth(r).count(), 9600 / 312.5e-9);
  EXPECT_DOUBLE_EQ(efficiency(r), 9600 / 312.5e-9 / 51.2e9);  // 0.6
}

TEST(Figures, SharesOfTheDataBusesAddUpToOne) {
  const BusShares s = data_bus_shares(sample(), part());
  // Two buses of 1,000 ticks; 300 bursts of 4.
  EXPECT_DOUBLE_EQ(s.data, 1200.0 / 2000);
  EXPECT_DOUBLE_EQ(s.refresh, 100.0 / 2000);
  EXPECT_DOUBLE_EQ(s.row, 300.0 / 2000);
  EXPECT_DOUBLE_EQ(s.turnaround, 50.0 / 2000);
  EXPECT_DOUBLE_EQ(s.data + s.refresh + s.row + s.turnaround + s.other, 1);
}

TEST(Figures, EventsCountBytesOnThePinsAndRfmAsARefreshOfOneBank) {
  const DramEvents e = events_of(sample(), part());
  EXPECT_EQ(e.ACT, 40);
  EXPECT_EQ(e.REFpb, 10);
  EXPECT_EQ(e.read, Bytes(200 * 32));
  EXPECT_EQ(e.written, Bytes(100 * 32));
  EXPECT_DOUBLE_EQ(e.background_s, 2 * 312.5e-9);
}

TEST(Figures, NothingSentIsNoBandwidth) {
  SimulationResult r{.clock = DramClock(Hertz(1e9))};
  r.peak = BytesPerSecond(1e9);
  EXPECT_EQ(efficiency(r), 0);
  EXPECT_EQ(data_bus_shares(r, part()).other, 1);
}

}  // namespace
}  // namespace presil::dram

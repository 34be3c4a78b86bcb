#include "cost/energy.h"

#include <gtest/gtest.h>

namespace presil {
namespace {

const std::filesystem::path kHome = PRESIL_SOURCE_DIR;

double typical(const EnergyBill& bill, const std::string& name) {
  for (const EnergyLine& line : bill.lines) {
    if (line.name == name) return line.joules.typical;
  }
  return 0;
}

/// An M x N x K bf16 GEMM in 128 x 256 tiles, at `flops_per_s`.
Counts gemm(std::int64_t m, std::int64_t n, std::int64_t k, double flops_per_s,
            const MemoryPart& part) {
  Counts counts;
  counts.macs[Format::bf16] = m * n * k;
  counts.dram_read = Bytes(2 * (m * k + n * k));
  counts.dram_written = Bytes(2 * m * n);
  counts.dram_ACT = (counts.dram_read + counts.dram_written).count() / part.page.count();
  const std::int64_t tiles = m / 128 * (n / 256);
  counts.noc_bytes = Bytes(tiles * (128 + 256) * k * 2);
  counts.shared_bytes = counts.noc_bytes;
  counts.local_bytes = counts.noc_bytes * 2;
  counts.time = to_picoseconds(Seconds(2.0 * static_cast<double>(m * n * k) / flops_per_s));
  return counts;
}

TEST(Energy, LinesAreCountsTimesTheTables) {
  const ChipFiles files = load_chip("h100-sxm", {}, kHome);
  Counts counts;
  counts.macs[Format::bf16] = 1'000'000;
  counts.macs[Format::q4_0] = 1'000'000;
  counts.link_bytes = Bytes(1000);
  counts.dram_ACT = 10;
  counts.dram_read = Bytes(640);

  const EnergyBill bill = energy(counts, files);

  EXPECT_DOUBLE_EQ(typical(bill, "mac.bf16"), 1e6 * 0.325e-12 * 3);
  EXPECT_DOUBLE_EQ(typical(bill, "mac.q4_0"), 1e6 * 0.055e-12 * 3);  // multiplied as int8
  EXPECT_DOUBLE_EQ(typical(bill, "link"), 8000 * 8e-12);
  EXPECT_DOUBLE_EQ(typical(bill, "dram.rows"), 10 * files.memory.act_pre.typical);
  EXPECT_DOUBLE_EQ(typical(bill, "dram.read"), 5120 * files.memory.read_bit.typical);
}

TEST(Energy, AnIdleChipDrawsItsIdlePowerOnce) {
  const ChipFiles files = load_chip("h100-sxm", {}, kHome);
  Counts counts;
  counts.time = to_picoseconds(Seconds(1));
  counts.dram_REFab = 1'000'000;

  // Refresh and background are part of power.idle, so they are not added to it.
  const Power& power = files.chip.power;
  EXPECT_NEAR(energy(counts, files, 0).total().typical, power.idle.count(), 1e-6);
  EXPECT_NEAR(energy(counts, files, 1).total().typical, (power.idle + power.active).count(), 1e-6)
      << "cores that run draw what their clocks cost, whatever they do";
}

TEST(Energy, LongGemmsCostWhatTheBoardsWereMeasuredAt) {
  // A 700 W Hopper board: 0.85 to 1.01 pJ/FLOP, idle included.
  const ChipFiles h100 = load_chip("h100-sxm", {}, kHome);
  const double h100_joules =
      energy(gemm(8192, 8192, 8192, 750e12, h100.memory), h100).total().typical;
  EXPECT_GT(h100_joules / (2 * 8192.0 * 8192 * 8192), 0.85e-12);
  EXPECT_LT(h100_joules / (2 * 8192.0 * 8192 * 8192), 1.01e-12);

  // A 400 W A100 on random numbers: 257 TFLOP/s, 1.56 pJ/FLOP.
  const ChipFiles a100 = load_chip("a100-sxm-80gb", {}, kHome);
  const double a100_joules =
      energy(gemm(8192, 8192, 8192, 257e12, a100.memory), a100).total().typical;
  EXPECT_NEAR(a100_joules / (2 * 8192.0 * 8192 * 8192), 1.56e-12, 0.1e-12);
}

TEST(Energy, ReadingHbmCostsSeveralPicojoulesABit) {
  const ChipFiles files = load_chip("h100-sxm", {}, kHome);
  Counts counts;  // 3 TB in a second, row by row
  counts.dram_read = Bytes(3'000'000'000'000);
  counts.dram_ACT = counts.dram_read.count() / files.memory.page.count();
  counts.shared_bytes = counts.dram_read;
  counts.noc_bytes = counts.dram_read;
  counts.local_bytes = counts.dram_read * 2;
  counts.time = to_picoseconds(Seconds(1));

  const double per_bit = energy(counts, files).total().typical / (8 * 3e12);

  // Decode attention on the same board: 12 to 19 pJ/bit, with the arithmetic that is left out here.
  EXPECT_GT(per_bit, 8e-12);
  EXPECT_LT(per_bit, 19e-12);
}

}  // namespace
}  // namespace presil

#include "dram/load/trace.h"

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/testing/scratch.h"
#include "dram/load/workload.h"

namespace presil::dram {
namespace {

constexpr std::int64_t kMiB = 1 << 20;

class Trace : public ::testing::Test {
 protected:
  std::vector<TraceRequest> read(const std::string& text) {
    std::ofstream(path_, std::ios::binary) << text;
    TraceReader reader(path_, kMiB);
    std::vector<TraceRequest> requests;
    for (TraceRequest r; reader.next(r);) requests.push_back(r);
    return requests;
  }

  Diagnostic complaint(const std::string& text) {
    try {
      read(text);
    } catch (const InputError& e) {
      return e.diagnostics().front();
    }
    ADD_FAILURE() << "no complaint about " << text;
    return {};
  }

  std::filesystem::path path_ = presil::testing::scratch_folder() / "a.trace";
};

TEST_F(Trace, OfLoadsAndStoresHasDecimalAndHexAddresses) {
  const std::vector<TraceRequest> r = read("# by hand\nLD 0x1234\n\n  ST\t4660\r\nLD 0X40");
  ASSERT_EQ(r.size(), 3u);
  EXPECT_EQ(r[0].address, 0x1234);
  EXPECT_FALSE(r[0].write);
  EXPECT_EQ(r[1].address, 0x1234);
  EXPECT_TRUE(r[1].write);
  EXPECT_EQ(r[2].address, 0x40);
  EXPECT_EQ(r[2].cycle, 0);
}

TEST_F(Trace, OfDramsim3HasHexAddressesAndCycles) {
  const std::vector<TraceRequest> r = read("0x1234 READ 100\n1240 WRITE 120\n0x40 READ 120\n");
  ASSERT_EQ(r.size(), 3u);
  EXPECT_EQ(r[1].address, 0x1240);
  EXPECT_TRUE(r[1].write);
  EXPECT_EQ(r[1].cycle, 120);
}

TEST_F(Trace, BecomesBlocksThatAreReadyAtTheirCycle) {
  std::ofstream(path_) << "0x1234 READ 100\n0x1250 WRITE 120\n0x40 READ 130\n";
  Workload w;
  parse_pattern("trace:" + path_.string(), w);
  const auto blocks_of = [&] {
    BlockStream stream(w, kMiB, 32, /*ticks_per_atom=*/4, /*ticks_per_cycle=*/2);
    std::vector<Block> blocks;
    for (Block b; stream.next(b);) blocks.push_back(b);
    return blocks;
  };

  std::vector<Block> blocks = blocks_of();  // no count: whole
  ASSERT_EQ(blocks.size(), 3u);
  EXPECT_EQ(blocks[0].address, 0x1200);  // its 64 bytes
  EXPECT_EQ(blocks[0].ready, 200);       // two ticks a CK
  EXPECT_EQ(blocks[1].address, 0x1240);
  EXPECT_TRUE(blocks[1].write);
  EXPECT_EQ(blocks[1].atoms, 2);

  w.atoms = 3;
  w.load = 0.5;  // goes before the cycles: a block every 16 ticks
  blocks = blocks_of();
  ASSERT_EQ(blocks.size(), 2u);
  EXPECT_EQ(blocks[1].ready, 16);
  EXPECT_EQ(blocks[1].atoms, 1);
}

TEST_F(Trace, ABadLineIsNamedWithItsPlace) {
  struct Case {
    std::string text;
    int line, column;
    std::string said;
  };
  const Case cases[] = {
      {"LD 0x40\nLOAD 0x80\n", 2, 1, "expected LD or ST, found 'LOAD'"},
      {"LOAD 0x80\n", 1, 1, "expected LD or ST (Ramulator 2) or an address (DRAMsim3)"},
      {"LD 0x40\nLD 0x4g\n", 2, 4, "found '0x4g'"},
      {"LD 12a\n", 1, 4, "expected an address in decimal"},
      {"LD\n", 1, 3, "found nothing"},
      {"LD -64\n", 1, 4, "found '-64'"},
      {"LD 0x40 7\n", 1, 9, "expected the end of the line, found '7'"},
      {"# x\n\nLD 0x100000\n", 3, 4, "expected an address below 0x100000, the end of the memory"},
      {"LD 99999999999999999999999\n", 1, 4, "expected an address"},
      {"0x40 READ 1\n0x40 LD 2\n", 2, 6, "expected READ or WRITE, found 'LD'"},
      {"0x40 READ\n", 1, 10, "expected a cycle"},
      {"0x40 READ -1\n", 1, 11, "expected a cycle"},
      {"0x40 READ 9\n0x40 READ 8\n", 2, 11, "expected a cycle of at least 9"},
      {"0x40 READ 1\nLD 0x40\n", 2, 1, "expected an address in hex"},
      {"LD 0x40\nLD " + std::string(300, '1') + "\n", 2, 256, "at most 255 characters"},
      {std::string("LD 0x\0"
                   "40\n",
                   9),
       1, 4, "expected an address"},
  };
  for (const Case& c : cases) {
    const Diagnostic d = complaint(c.text);
    EXPECT_EQ(d.file, path_.string());
    EXPECT_EQ(d.line, c.line) << c.text;
    EXPECT_EQ(d.column, c.column) << c.text;
    EXPECT_NE(d.message.find(c.said), std::string::npos) << d.message;
  }
}

TEST_F(Trace, WithoutARequestIsRefusedAndOneThatIsNotThereIsMissing) {
  EXPECT_NE(complaint("# nothing\n\n").message.find("found none"), std::string::npos);
  EXPECT_THROW(TraceReader("/nowhere/at/all", kMiB), MissingInput);
  EXPECT_THROW(TraceReader(presil::testing::scratch_folder(), kMiB), MissingInput);
}

TEST_F(Trace, ALineOfTheLongestLengthIsRead) {
  const std::string line = "LD 64" + std::string(TraceReader::kLongestLine - 5, ' ');
  EXPECT_EQ(read(line + "\n" + line).size(), 2u);
}

}  // namespace
}  // namespace presil::dram

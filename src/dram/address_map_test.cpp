#include "dram/address_map.h"

#include <set>
#include <string>
#include <tuple>

#include <gtest/gtest.h>

#include "base/error.h"

namespace presil::dram {
namespace {

MemoryPart part_of(std::int64_t stack_ids, std::int64_t rows) {
  MemoryPart part;
  part.stack_ids = stack_ids;
  part.bank_groups = 4;
  part.banks = 4;
  part.rows = rows;
  part.page = 1_KiB;
  part.width = 32;
  part.burst_length = 8;
  return part;
}

constexpr const char* kDefault = "row stack_id bank column bank_group column:2";
constexpr const char* kMop =
    "row column bank bank_group stack_id column:4 stack_id^column bank_group^column/2 "
    "bank^column/8";

std::string refusal(const std::string& text, const MemoryPart& part) {
  try {
    AddressMap map(text, part);
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

void expect_every_atom_has_its_own_place(const std::string& text, const MemoryPart& part) {
  const AddressMap map(text, part);
  ASSERT_EQ(map.atoms(), part.pseudo_channel_capacity() / part.atom());
  std::set<std::tuple<int, int, int>> places;
  for (std::int64_t atom = 0; atom < map.atoms(); ++atom) {
    const Location at = map.locate(atom);
    ASSERT_LT(at.bank, part.total_banks());
    ASSERT_LT(at.row, part.rows);
    ASSERT_LT(at.column, 32);
    places.insert({at.bank, at.row, at.column});
  }
  EXPECT_EQ(static_cast<std::int64_t>(places.size()), map.atoms());
}

TEST(AddressMap, GivesEveryAtomItsOwnPlace) {
  expect_every_atom_has_its_own_place(kDefault, part_of(3, 5));
  expect_every_atom_has_its_own_place(kMop, part_of(2, 4));
  expect_every_atom_has_its_own_place("column row stack_id bank_group bank", part_of(3, 5));
  expect_every_atom_has_its_own_place(std::string(kDefault) + " bank^row bank_group^row/4",
                                      part_of(3, 6));
}

TEST(AddressMap, KeepsSixtyFourBytesInOneRowAndSpreadsOverBankGroups) {
  const AddressMap map(kDefault, part_of(3, 24576));

  for (std::int64_t atom = 0; atom < 8; ++atom) {
    const Location at = map.locate(atom);
    EXPECT_EQ(at.bank, atom / 2 * 4);  // bank 0 of bank group atom / 2, stack ID 0
    EXPECT_EQ(at.column, atom % 2);
    EXPECT_EQ(at.row, 0);
  }
  EXPECT_EQ(map.locate(128).bank, 1);       // after 16 columns x 8 atoms: the next bank
  EXPECT_EQ(map.locate(128 * 4).bank, 16);  // after 4 banks: the next stack ID
  EXPECT_EQ(map.locate(128 * 12).row, 1);   // after 3 stack IDs: the next row
}

TEST(AddressMap, AgreesWithTheBitsOfRamulatorsMop4clxor) {
  const AddressMap map(kMop, part_of(2, 16384));

  for (std::int64_t atom : {0LL, 1LL, 7LL, 100LL, 12345LL, 99999LL, 16777215LL}) {
    std::int64_t rest = atom;
    const auto take = [&](int bits) {
      const std::int64_t low = rest & ((1 << bits) - 1);
      rest >>= bits;
      return low;
    };
    std::int64_t column = take(2), sid = take(1), group = take(2), bank = take(2);
    column |= take(3) << 2;
    const std::int64_t row = take(14);
    sid ^= column & 1;
    group ^= (column >> 1) & 3;
    bank ^= (column >> 3) & 3;

    const Location at = map.locate(atom);
    EXPECT_EQ(at.bank, (sid * 4 + group) * 4 + bank);
    EXPECT_EQ(at.row, row);
    EXPECT_EQ(at.column, column);
  }
}

TEST(AddressMap, RepeatsWhenOnlyBanksOfAKindChangePlaces) {
  // Moving by one bank (128 atoms) takes bank 3 of stack ID 0 to another stack ID and bank 2 not;
  // moving by four (512) takes whole stack IDs to the next.
  EXPECT_EQ(AddressMap(kDefault, part_of(3, 24576)).period(), 512);
  // With one stack ID, 128 atoms take each bank to the next of its group.
  EXPECT_EQ(AddressMap(kDefault, part_of(1, 16384)).period(), 128);
  // The hash is of the column: only the whole sweep of 32 banks x 32 columns repeats.
  EXPECT_EQ(AddressMap(kMop, part_of(2, 16384)).period(), 1024);
  EXPECT_EQ(AddressMap(std::string(kDefault) + " bank^row", part_of(2, 16384)).period(), 0);
}

TEST(AddressMap, RefusesWhatDoesNotCoverThePart) {
  const MemoryPart part = part_of(3, 16384);
  const auto says = [](const std::string& text, const std::string& words) {
    return text.find(words) != std::string::npos;
  };
  EXPECT_TRUE(says(refusal("row bank column bank_group", part), "stack_id has 3 values"));
  EXPECT_TRUE(says(refusal("row stack_id bank bank_group column:16", part), "column has 32"));
  EXPECT_TRUE(says(refusal("row stack_id bank bank_group column:3 column", part), "column has 32"));
  EXPECT_TRUE(says(refusal("row stack_id bank bank_group colum", part), "did you mean 'column'"));
  EXPECT_TRUE(says(refusal("row row stack_id bank bank_group column", part), "stands twice"));
  EXPECT_TRUE(says(refusal("row stack_id bank bank_group column:0", part), "above zero"));
  EXPECT_TRUE(says(refusal(std::string(kDefault) + " stack_id^row", part), "power of two"));
  EXPECT_TRUE(says(refusal(std::string(kDefault) + " bank^bank", part), "with itself"));
  EXPECT_TRUE(says(refusal("bank^row row", part), "after a hash"));
  EXPECT_TRUE(says(refusal("", part), "has 3 values"));
}

}  // namespace
}  // namespace presil::dram

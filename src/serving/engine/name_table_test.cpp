#include "serving/engine/name_table.h"

#include <map>

#include <gtest/gtest.h>

#include "base/draws.h"

namespace presil::serving {
namespace {

TEST(NameTable, IsAMapWhateverComesAndGoes) {
  Draws draws(7, 0, 0);
  NameTable table;
  std::map<std::uint64_t, std::int32_t> plain;
  for (std::int32_t i = 0; i < 20'000; ++i) {
    // Few names, all in a few places of the table, so that searches pass over others.
    const std::uint64_t name = draws.below(8) * 1024 + draws.below(64);
    const auto found = plain.find(name);
    ASSERT_EQ(table.find(name), found == plain.end() ? NameTable::kNone : found->second);
    if (found == plain.end()) {
      table.insert(name, i);
      plain[name] = i;
    } else if (draws.below(4) == 0) {
      table.replace(name, i);
      found->second = i;
    } else {
      table.erase(name);
      plain.erase(found);
    }
  }
  for (const auto& [name, value] : plain) EXPECT_EQ(table.find(name), value);
  EXPECT_EQ(table.size(), std::ssize(plain));
}

}  // namespace
}  // namespace presil::serving

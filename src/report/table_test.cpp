#include "report/table.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "report/text_width.h"

namespace presil {
namespace {

Table two_columns() {
  return Table({{"chip"}, {"tokens/s", Align::right}});
}

TEST(Table, AlignsWordsLeftAndNumbersRight) {
  Table table = two_columns();
  table.add({"a100", "90"});
  table.add_rule();
  table.add({"artemis", "1 234 567"});

  EXPECT_EQ(table.render(),
            "chip      tokens/s\n"
            "──────────────────\n"
            "a100            90\n"
            "──────────────────\n"
            "artemis  1 234 567\n");
}

TEST(Table, CountsColumnsNotBytes) {
  Table table = two_columns();
  table.add({"µ", "1"});     // two bytes, one column
  table.add({"東京", "2"});  // six bytes, four columns

  EXPECT_EQ(table.render(),
            "chip  tokens/s\n"
            "──────────────\n"
            "µ            1\n"
            "東京         2\n");
}

TEST(Table, ColoursOnlyWhenAsked) {
  Table table = two_columns();
  table.add({"a", {"1", Tone::good}});

  EXPECT_EQ(table.render().find('\x1b'), std::string::npos);
  EXPECT_NE(table.render(true).find("\x1b[32m1\x1b[0m"), std::string::npos);
}

TEST(Table, NeverPassesControlCharactersOn) {
  Table table = two_columns();
  table.add({"\x1b[2J\xc2\x9b", "1\n2"});

  EXPECT_NE(table.render().find("?[2J?"), std::string::npos);
  EXPECT_NE(table.render().find("1 2"), std::string::npos);
}

TEST(Table, RefusesARowOfAnotherLength) {
  Table table = two_columns();
  EXPECT_THROW(table.add({"a"}), InternalError);
}

TEST(TextWidth, GivesBytesThatAreNotUtf8OneColumnEach) {
  EXPECT_EQ(display_width("\xff\xc3"), 2);
  EXPECT_EQ(printable("\xff\xc3"), "??");
}

TEST(TextWidth, GivesCombiningMarksNone) {
  EXPECT_EQ(display_width("e\xcc\x81"), 1);
}

}  // namespace
}  // namespace presil

#include "base/fields.h"

#include <gtest/gtest.h>

namespace presil {
namespace {

enum class Colour { red, green };
constexpr Choice<Colour> kColours[] = {{"red", Colour::red}, {"green", Colour::green}};

struct Thing {
  std::int64_t count = 0;
  Bytes size;
  Colour colour = Colour::red;
  Band energy;

  friend bool operator==(const Thing&, const Thing&) = default;
};

Thing read_thing(Fields& f) {
  Thing t;
  t.count = f.integer("count", "how many", {1, 100});
  t.size = f.quantity<Bytes>("size", "how large");
  t.colour = f.choice_or<Colour>("colour", "which", kColours, Colour::red);
  t.energy = f.maybe_band("energy", "of one", Dimension::joules).value_or(Band{});
  return t;
}

Thing read(const std::string& text) {
  const Node root = parse_document(std::make_shared<Source>(Source{"t.yaml", text}), Syntax::yaml);
  return read_file(root, "thing", read_thing);
}

std::vector<Diagnostic> complaints(const std::string& text) {
  try {
    read(text);
  } catch (const InputError& e) {
    return e.diagnostics();
  }
  return {};
}

TEST(Fields, ReadsWhatIsThere) {
  const Thing t = read(
      "presil: thing/1\ncount: 3\nsize: 36 GiB\ncolour: green\n"
      "energy: {low: 1 pJ, typical: 2 pJ, high: 3 pJ}\n");
  EXPECT_EQ(t.count, 3);
  EXPECT_EQ(t.size, 36_GiB);
  EXPECT_EQ(t.colour, Colour::green);
  EXPECT_DOUBLE_EQ(t.energy.typical, 2e-12);
}

TEST(Fields, ReadsAListOfNumbersOrOneAlone) {
  const auto numbers = [](const std::string& text) {
    const Node root = parse_document(
        std::make_shared<Source>(Source{"t.yaml", "presil: t/1\n" + text}), Syntax::yaml);
    return read_file(root, "t", [](Fields& f) { return f.numbers_or_none("x", "some", {0, 1}); });
  };
  EXPECT_EQ(numbers("x: [0, 0.5, 1]\n"), (std::vector<double>{0, 0.5, 1}));
  EXPECT_EQ(numbers("x: 0.25\n"), std::vector<double>{0.25});
  EXPECT_EQ(numbers(""), std::vector<double>{});
  EXPECT_THROW(numbers("x: [0, 2]\n"), InputError);
  EXPECT_THROW(numbers("x: [0, many]\n"), InputError);
}

TEST(Fields, ReportsAllErrorsOfAFileInOrder) {
  const auto list = complaints("presil: thing/1\ncount: many\nsize: 256\ncolor: red\n");
  ASSERT_EQ(list.size(), 3u);
  EXPECT_EQ(list[0].line, 2);
  EXPECT_NE(list[1].message.find("without a unit"), std::string::npos) << list[1].message;
  EXPECT_NE(list[2].message.find("did you mean 'colour'?"), std::string::npos) << list[2].message;
}

TEST(Fields, RefusesAMissingKey) {
  const auto list = complaints("presil: thing/1\ncount: 1\n");
  ASSERT_EQ(list.size(), 1u);
  EXPECT_NE(list[0].message.find("missing 'size'"), std::string::npos);
}

TEST(Fields, RefusesNegativeAndZeroSizes) {
  EXPECT_EQ(complaints("presil: thing/1\ncount: 1\nsize: -3 GiB\n").size(), 1u);
  EXPECT_EQ(complaints("presil: thing/1\ncount: 1\nsize: 0 B\n").size(), 1u);
}

TEST(Fields, RefusesAWrongUnitAndNamesTheRightOnes) {
  const auto list = complaints("presil: thing/1\ncount: 1\nsize: 3 GHz\n");
  ASSERT_EQ(list.size(), 1u);
  EXPECT_NE(list[0].message.find("KiB"), std::string::npos) << list[0].message;
}

TEST(Fields, RefusesABandOutOfOrder) {
  EXPECT_EQ(complaints("presil: thing/1\ncount: 1\nsize: 1 B\n"
                       "energy: {low: 3 pJ, typical: 2 pJ, high: 3 pJ}\n")
                .size(),
            1u);
}

TEST(Fields, RefusesAnotherKindOfFile) {
  EXPECT_EQ(complaints("presil: chip/1\ncount: 1\nsize: 1 B\n").size(), 1u);
}

TEST(Fields, ASourceMustNameAField) {
  const auto list = complaints(
      "presil: thing/1\ncount: 1\nsize: 1 B\nsources:\n  sise: {value: found, ref: x}\n");
  ASSERT_EQ(list.size(), 1u);
  EXPECT_NE(list[0].message.find("'sise' names no field"), std::string::npos);
}

TEST(Fields, ASourceOfAGroupIsThatOfItsFields) {
  const Sources sources = {{"die", {Confidence::found, "sheet"}},
                           {"die.area", {Confidence::estimate, "photo"}}};
  EXPECT_EQ(source_of(sources, "die.area")->reference, "photo");
  EXPECT_EQ(source_of(sources, "die.area.low")->reference, "photo");
  EXPECT_EQ(source_of(sources, "die.node")->reference, "sheet");
  EXPECT_EQ(source_of(sources, "dram.stacks"), nullptr);
}

TEST(Fields, DescribingRecordsEveryField) {
  Schema schema;
  Fields fields(schema);
  read_thing(fields);
  ASSERT_EQ(schema.fields.size(), 4u);
  EXPECT_EQ(schema.fields[1].name, "size");
  EXPECT_TRUE(schema.fields[1].required);
  EXPECT_EQ(schema.fields[1].unit_example, "256 KiB");
  EXPECT_EQ(schema.fields[2].choices, (std::vector<std::string>{"red", "green"}));
}

TEST(Fields, RefusesAQuantityThatIsOutOfThisWorld) {
  for (const char* size : {"1e308 B", "2 TB", "1e-300 TB", "-1 B", "nan B"}) {
    const auto list = complaints(std::string("presil: thing/1\ncount: 1\nsize: ") + size + "\n");
    EXPECT_EQ(list.size(), size == std::string("2 TB") ? 0u : 1u) << size;
  }
  const auto list = complaints("presil: thing/1\ncount: 1\nsize: 2e6 TB\n");
  ASSERT_EQ(list.size(), 1u);
  EXPECT_EQ(list[0].message, "size: expected 1 B to 1000 TB, found \"2e6 TB\"");
}

}  // namespace
}  // namespace presil

#include "base/document.h"

#include <gtest/gtest.h>

namespace presil {
namespace {

Node parse(const std::string& text, Syntax syntax = Syntax::yaml) {
  return parse_document(std::make_shared<Source>(Source{"chip.yaml", text}), syntax);
}

std::vector<Diagnostic> complaints(const std::string& text, Syntax syntax = Syntax::yaml) {
  try {
    parse(text, syntax);
  } catch (const InputError& e) {
    return e.diagnostics();
  }
  return {};
}

TEST(Document, NodesKnowTheirPlace) {
  const Node root = parse("core:\n  count: 64\n  clock: 1.35 GHz\n");
  const Node& clock = *root.find("core")->find("clock");
  EXPECT_EQ(clock.text, "1.35 GHz");
  EXPECT_EQ(clock.place.line, 3);
  EXPECT_EQ(clock.place.column, 10);
  EXPECT_EQ(clock.place.length, 8);
}

TEST(Document, FlowMappingsAndListsAreRead) {
  const Node root = parse("dram: {part: hbm3-6400, stacks: 4}\nalias: [a, b]\n");
  EXPECT_EQ(root.find("dram")->find("stacks")->text, "4");
  ASSERT_EQ(root.find("alias")->items.size(), 2u);
  EXPECT_EQ(root.find("alias")->items[1].text, "b");
}

TEST(Document, JsonIsReadByTheSameReader) {
  const Node root = parse("{\"hidden_size\": 576,\n \"eos\": [1, 2]}", Syntax::json);
  EXPECT_EQ(root.find("hidden_size")->text, "576");
  EXPECT_EQ(root.find("eos")->place.line, 2);
}

TEST(Document, RefusesADuplicateKeyWithItsPlace) {
  const auto list = complaints("a: 1\nb: 2\na: 3\n");
  ASSERT_EQ(list.size(), 1u);
  EXPECT_EQ(list[0].file, "chip.yaml");
  EXPECT_EQ(list[0].line, 3);
  EXPECT_NE(list[0].message.find("duplicate"), std::string::npos) << list[0].message;
}

TEST(Document, RefusesMalformedText) {
  EXPECT_FALSE(complaints("a: [1, 2\nb: 3\n").empty());
  EXPECT_FALSE(complaints("").empty());
  EXPECT_FALSE(complaints("{\"a\": 1", Syntax::json).empty());
}

TEST(Document, RefusesWhatIsNotUtf8) {
  const auto list = complaints("a: 1\nb: \x92\n");
  ASSERT_EQ(list.size(), 1u);
  EXPECT_EQ(list[0].line, 2);
  EXPECT_EQ(list[0].column, 4);
  EXPECT_NE(list[0].message.find("UTF-8"), std::string::npos);
  EXPECT_EQ(complaints("a: 1 # \xe2\x82").size(), 1u);  // cut within a character
}

TEST(Document, RefusesDirectives) {  // on some of them libfyaml 0.7.12 scans for ever
  for (const char* text :
       {"%YAML 1.2\n---\na: 1\n", "{\n% \"a\": \x92", "\xef\xbb\xbf%TAG\n", "a: 1\r% b", "% "}) {
    EXPECT_EQ(complaints(text).size(), 1u) << text;
    EXPECT_EQ(complaints(text, Syntax::json).size(), 1u) << text;
  }
  EXPECT_EQ(parse("efficiency: 97 % of it\n").find("efficiency")->text, "97 % of it");
}

TEST(Document, RefusesAliasesAndMergeKeys) {
  EXPECT_FALSE(complaints("a: &x {b: 1}\nc: *x\n").empty());
  EXPECT_FALSE(complaints("a:\n  <<: {b: 1}\n").empty());
}

TEST(Document, RefusesNestingThatIsTooDeep) {
  EXPECT_FALSE(complaints("a: " + std::string(100, '[') + std::string(100, ']') + "\n").empty());
}

TEST(Document, AMissingFileIsMissingInput) {
  EXPECT_THROW(read_document("/no/such/file.yaml", Syntax::yaml), MissingInput);
}

TEST(Document, AnOverridePointsIntoTheArgument) {
  Node root = parse("dram: {stacks: 4}\n");
  const auto argument = std::make_shared<Source>(Source{"--set", "dram.stacks=six"});
  apply_override(root, "dram.stacks", "six", argument);
  const Node& stacks = *root.find("dram")->find("stacks");
  EXPECT_EQ(stacks.text, "six");
  EXPECT_EQ(stacks.place.source->name, "--set");
  EXPECT_EQ(stacks.place.column, 13);
}

TEST(Document, AnOverrideMayNotRunThroughAScalar) {
  Node root = parse("name: x\n");
  const auto argument = std::make_shared<Source>(Source{"--set", "name.y=1"});
  EXPECT_THROW(apply_override(root, "name.y", "1", argument), InputError);
}

TEST(Diagnostic, ShowsTheLineAndACaret) {
  const Diagnostic d{"chip.yaml", 12, 10, 3, "expected a size", "sram: {size: 256}"};
  EXPECT_EQ(render(d),
            "chip.yaml:12:10: error: expected a size\n"
            "  12 | sram: {size: 256}\n"
            "     |          ^~~\n");
}

TEST(Nearest, FindsASlipAndIgnoresAStranger) {
  const std::vector<std::string> known = {"stacks", "rate", "refresh"};
  EXPECT_EQ(nearest("stack", known), "stacks");
  EXPECT_EQ(nearest("refesh", known), "refresh");
  EXPECT_EQ(nearest("voltage", known), "");
}

TEST(Document, IsOneDocument) {
  const auto list = complaints("a: 1\n---\nb: 2\n");
  ASSERT_EQ(list.size(), 1u);
  EXPECT_NE(list[0].message.find("expected one document"), std::string::npos) << list[0].message;
}

TEST(Document, ManyKeysAreReadAndManyComplaintsAreCut) {
  std::string keys, slips;
  for (int i = 0; i < 100'000; ++i) {
    keys += "k" + std::to_string(i) + ": 1\n";
    slips += "k: 1\n";
  }
  EXPECT_EQ(parse(keys).members.size(), 100'000u);  // in linear time: in seconds, not in hours
  EXPECT_EQ(complaints(slips).size(), 100u);
}

TEST(Document, AFolderIsNotAFile) {
  try {
    read_document("/", Syntax::yaml);
    FAIL();
  } catch (const MissingInput& e) {
    EXPECT_STREQ(e.what(), "/: not a file");
  }
}

TEST(Diagnostic, CannotDriveATerminalOrFillIt) {
  const Diagnostic d{"a\x1b[2J", 1, 1, 1 << 20, std::string(1 << 20, 'x'), "b\x1b[31m"};
  const std::string text = render(d);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_LT(text.size(), 2000u);
}

TEST(Diagnostic, WithoutAPlaceStartsWithTheWordError) {
  EXPECT_STREQ(InputError("--tp: expected 1").what(), "error: --tp: expected 1\n");
}

}  // namespace
}  // namespace presil

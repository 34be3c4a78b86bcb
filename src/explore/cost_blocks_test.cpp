#include "explore/cost_blocks.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/document.h"

namespace presil {
namespace {

const std::filesystem::path kHome = PRESIL_SOURCE_DIR;

CostBlocks blocks_of(const std::string& text) {
  const Node root =
      parse_document(std::make_shared<const Source>(Source{"scenario.yaml", text}), Syntax::yaml);
  Diagnostics log;
  Fields fields(root, "", log);
  CostBlocks blocks = read_cost_blocks(fields);
  fields.finish();
  log.throw_if_any();
  return blocks;
}

TokenRate measured(const std::string& service) {
  EXPECT_EQ(service, "own");
  return {.tokens_per_s = 6000, .chips = 4, .power = Watts(180)};
}

TEST(CostBlocks, EachBlockThatIsThereIsAnsweredInJsonAndInWords) {
  const CostBlocks blocks = blocks_of(R"(
foundries: {chip: mtia-v2, second: {node: samsung-sf4x}, volume: 200000}
buy_or_build:
  own: {chip: artemis-hbm3e, service: own}
  bought: {chip: h100-sxm, tokens_per_s: 2000, power: 500 W}
supply: {chip: artemis-hbm3e, wanted: 350000, stacks: {per_year: 900000, lead: 180 d}, until: 720 d}
houses:
  chip: artemis-hbm3e
  listed: {foundry: 0.5, memory: 0.5, packaging: 0.3}
  one: {name: one, margins: {foundry: 0.4, memory: 0.4, packaging: 0.2}, bad_stack: house}
  three: {name: three, margins: {foundry: 0.5, memory: 0.5, packaging: 0.3}, bad_stack: buyer}
)");
  const CostBlockAnswers answers = answer_cost_blocks(blocks, {}, kHome, measured);
  const Json json = to_json(answers);

  EXPECT_EQ(json["foundries"]["points"].size(), 11u);
  EXPECT_TRUE(json["foundries"]["points"][3]["wafers"].contains("samsung-sf4x"));
  EXPECT_NEAR(json["buy_or_build"]["bought_per_own"].get<double>(), 1500 / 2000.0, 1e-12)
      << "four chips write 6000 tokens/s together";
  EXPECT_EQ(json["supply"]["by_date"].back()["bound_by"], "stacks");
  EXPECT_LT(json["houses"]["one"]["usd_per_chip"]["typical"],
            json["houses"]["three"]["usd_per_chip"]["typical"]);
  EXPECT_EQ(sentences(answers).size(), 2u + 1 + 2 + 1);
  for (const std::string& said : sentences(answers)) EXPECT_EQ(said.back(), '.');
}

TEST(CostBlocks, WithoutBlocksThereIsNothingToSay) {
  const CostBlockAnswers none = answer_cost_blocks(blocks_of("{}"), {}, kHome, measured);
  EXPECT_TRUE(to_json(none).is_null());
  EXPECT_TRUE(sentences(none).empty());
}

TEST(CostBlocks, AnUnknownKeyIsRefusedWithItsPlace) {
  try {
    blocks_of("supply: {chip: mtia-v2, wafer: {per_year: 10}}");
    ADD_FAILURE();
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find("did you mean 'wafers'?"), std::string::npos)
        << error.what();
  }
}

}  // namespace
}  // namespace presil

#include <filesystem>

#include <gtest/gtest.h>

#include "fleet/spec.h"

namespace presil::fleet {
namespace {

FleetSpec read(const Node& node) {
  Diagnostics log;
  Fields fields(node, "fleet", log);
  FleetSpec spec = read_fleet(fields);
  fields.finish();
  log.throw_if_any();
  return spec;
}

FleetSpec read(const std::string& text) {
  return read(parse_document(std::make_shared<Source>(Source{"f.yaml", text}), Syntax::yaml));
}

const std::string kLeast =
    "chips: 100\nown: a\nbought: b\nown_share: [0, 0.5, 1]\nrequests_per_day: 1000\n"
    "regions: [{name: here, share: 1}]\n"
    "failures: {chips: 10, time: 1 d, causes: [{name: board, events: 1, out: 1 h}]}\n";

std::string complaint(const std::string& text) {
  try {
    read(text);
  } catch (const InputError& e) {
    return e.what();
  }
  return "";
}

TEST(FleetFields, HaveDefaults) {
  const FleetSpec spec = read(kLeast);
  EXPECT_EQ(spec.own_shares, (std::vector<double>{0, 0.5, 1}));
  EXPECT_EQ(spec.split, Split::by_capacity);
  EXPECT_EQ(spec.awake, Awake::all);
  EXPECT_EQ(spec.overflow, Overflow::turn_away);
  EXPECT_EQ(spec.failures.causes[0].takes, FailureCause::Takes::server);
  EXPECT_FALSE(spec.ceilings.wafers_per_year.has_value());
  EXPECT_EQ(spec.upgrades.hours, 0);
}

TEST(FleetFields, SayWhatIsWrongAndWhere) {
  EXPECT_NE(complaint(kLeast + "split: by_price\n").find("f.yaml:8:8"), std::string::npos);
  EXPECT_NE(complaint(kLeast + "upgrade: {}\n").find("did you mean 'upgrades'?"),
            std::string::npos);
  EXPECT_NE(complaint(kLeast + "sampling: {sections: 1}\n").find("from 2 to 1000"),
            std::string::npos);
  std::string one_kind = kLeast;
  one_kind.erase(one_kind.find("own: a\n"), 7);
  EXPECT_NE(complaint(one_kind).find("0.5 needs services of both kinds"), std::string::npos);
}

TEST(FleetFields, OfTheShippedScenarioAreRead) {
  const Node root = read_document(
      std::filesystem::path(PRESIL_SOURCE_DIR) / "scenarios" / "fleet-350k.yaml", Syntax::yaml);
  const Node* block = root.find("fleet");
  ASSERT_NE(block, nullptr);
  const FleetSpec spec = read(*block);
  EXPECT_EQ(spec.chips, 350'000);
  EXPECT_EQ(spec.regions.size(), 4u);
  double events = 0;
  for (const FailureCause& cause : spec.failures.causes) events += cause.events;
  EXPECT_EQ(events, 419);  // as published
  EXPECT_NEAR(failure_rate(spec.failures) * 86400 * 350'000, 166, 0.5);
}

}  // namespace
}  // namespace presil::fleet

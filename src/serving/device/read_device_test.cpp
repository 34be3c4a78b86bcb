#include <gtest/gtest.h>

#include "base/document.h"
#include "base/error.h"
#include "serving/device/simulate.h"

namespace presil::serving {
namespace {

const std::filesystem::path kHome = PRESIL_SOURCE_DIR;

constexpr const char* kThermal = R"(
thermal:
  skin: {resistance: 4 K/W, time_constant: 600 s, limit: 41 C}
  die: {resistance: 7 K/W, time_constant: 3 s, limit: 90 C}
)";

DeviceSpec read(const std::string& text) {
  const Node root =
      parse_document(std::make_shared<Source>(Source{"device.yaml", text}), Syntax::yaml);
  Diagnostics log;
  Fields fields(root, "", log);
  const DeviceSpec spec = read_device(fields);
  fields.finish();
  log.throw_if_any();
  return spec;
}

std::string refusal(const std::string& text) {
  try {
    read(text);
  } catch (const InputError& e) {
    return e.what();
  }
  return "accepted";
}

const std::string kPhone = std::string("chip: a\nmodel: b\n") + kThermal;

TEST(ReadDevice, TheShortestBlockIsADeviceThatDoesEverything) {
  const DeviceSpec spec = read(kPhone + "policies: [{name: own}]\n");
  EXPECT_EQ(spec.local.chip, "a");
  EXPECT_EQ(spec.thermal.levels.size(), 1u);
  EXPECT_FALSE(spec.battery);
  EXPECT_FALSE(spec.uses(Place::cloud));
}

TEST(ReadDevice, WhatContradictsItselfIsRefused) {
  const auto says = [](const std::string& text, const std::string& part) {
    return refusal(text).find(part) != std::string::npos;
  };
  EXPECT_TRUE(says(kPhone, "expected one at least"));
  EXPECT_TRUE(says(kPhone + "policies: [{name: p, rules: [{run: cloud}]}]\n", "there is no cloud"));
  EXPECT_TRUE(says(kPhone + "policies: [{name: p, rules: [{run: moon}]}]\n", "moon"));
  EXPECT_TRUE(says(kPhone + "policies: [{name: p, rules: [{network: 6g, run: device}]}]\n",
                   "no network \"6g\""));
  EXPECT_TRUE(
      says(kPhone + "policies: [{name: p}]\nspeech: {encoder: w, chunk: 2 s, duration: 1 s}\n",
           "longer than the speech"));
  EXPECT_TRUE(says(kPhone + "cloud: {chip: c, model: m}\nspeech: {encoder: w}\n"
                            "policies: [{name: p, rules: [{run: escalate}]}]\n",
                   "speech runs on the device or in the cloud"));
  EXPECT_TRUE(
      says(kPhone + "policies: [{name: p}]\ncloud: {chip: c, model: m, prompt_price: 1 USD}\n",
           "given together"));
  EXPECT_TRUE(says(kPhone + "policies: [{name: p}]\nmemory_taken: 2\n", "memory_taken"));
  EXPECT_TRUE(
      says(kPhone + "policies: [{name: p}]\nmessages: {per_token: 2 GB}\n", "1 MB at most"));
}

TEST(ReadDevice, LevelsFallFromTheFullClock) {
  const auto with_levels = [](const std::string& levels) {
    return "chip: a\nmodel: b\npolicies: [{name: p}]" + std::string(kThermal) + "  levels: [" +
           levels + "]\n";
  };
  EXPECT_EQ(refusal(with_levels("{speed: 1}, {speed: 0.5}")), "accepted");
  EXPECT_NE(refusal(with_levels("{speed: 0.9}")).find("must have speed 1"), std::string::npos);
  EXPECT_NE(refusal(with_levels("{speed: 1}, {speed: 0.5}, {speed: 0.7}")).find("must fall"),
            std::string::npos);
}

TEST(ReadDevice, TheShippedScenariosAreRead) {
  for (const char* name : {"phone-interpreter", "ai-pc", "headset"}) {
    const Node root =
        read_document(kHome / "scenarios" / (std::string(name) + ".yaml"), Syntax::yaml, kHome);
    Diagnostics log;
    Fields fields(*root.find("device"), "device", log);
    const DeviceSpec spec = read_device(fields);
    fields.finish();
    EXPECT_NO_THROW(log.throw_if_any()) << name;
    EXPECT_GE(spec.policies.size(), 3u) << name;
    EXPECT_EQ(load_radios(spec, kHome).size(), spec.networks.size()) << name;
  }
}

}  // namespace
}  // namespace presil::serving

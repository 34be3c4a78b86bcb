#include "explore/device_service.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/document.h"
#include "explore/device_json.h"

namespace presil {
namespace {

const Places kPlaces{PRESIL_SOURCE_DIR, {}};

serving::DeviceSpec shipped(const std::string& name) {
  const Node root =
      read_document(kPlaces.home / "scenarios" / (name + ".yaml"), Syntax::yaml, kPlaces.home);
  Diagnostics log;
  Fields fields(*root.find("device"), "device", log);
  serving::DeviceSpec spec = serving::read_device(fields);
  log.throw_if_any();
  return spec;
}

TEST(DeviceService, APhoneInterpretsACall) {
  serving::DeviceSpec spec = shipped("phone-interpreter");
  spec.speech->duration = Seconds(120);

  const DeviceAnswer answer = answer_device(spec, {}, kPlaces, 0);

  ASSERT_FALSE(answer.no) << answer.no->reason;
  const serving::PolicyResult& device = answer.result.policies[0];
  const serving::PolicyResult& cloud = answer.result.policies[1];
  EXPECT_TRUE(device.speech->keeps_up);
  EXPECT_LT(device.speech->real_time_factor, 1);
  // At 15 % less than 85 GB/s: a token reads 2.2 GB of weights at least (3.2 billion of them, the
  // head in 16 bits), 30 ms; four tokens a second of speech.
  EXPECT_GT(device.speech->work_s_per_speech_s[2], 4 * 7.0 / 8 * 0.030);
  EXPECT_LT(device.speech->work_s_per_speech_s[2], 4 * 0.060);
  EXPECT_EQ(device.cloud_usd, 0);
  EXPECT_EQ(cloud.energy.compute, Joules(0));
  EXPECT_GT(cloud.cloud_usd, 0);
  EXPECT_TRUE(answer.own_prices);
  EXPECT_EQ(sentences(answer).size(), 3u);
  const Json json = to_json(answer);
  EXPECT_EQ(json["policies"].size(), 3u);
  EXPECT_EQ(json["policies"][0]["keeps_up"], true);
}

TEST(DeviceService, TheSameSeedGivesTheSameBytes) {
  serving::DeviceSpec spec = shipped("headset");
  std::vector<serving::Request> requests(20);
  for (std::size_t i = 0; i < requests.size(); ++i) {
    requests[i].id = static_cast<std::int64_t>(i);
    requests[i].arrival = Nanoseconds(static_cast<std::int64_t>(i) * 1'000'000'000);
    requests[i].prompt_tokens = 24;
    requests[i].output_tokens = 8;
  }
  const auto text = [&] { return to_json(answer_device(spec, requests, kPlaces, 3)).dump(); };
  EXPECT_EQ(text(), text());
}

TEST(DeviceService, WhatDoesNotFitIsAnAnswer) {
  serving::DeviceSpec spec = shipped("headset");
  spec.local.model = "llama-3-70b";
  const DeviceAnswer answer = answer_device(spec, {}, kPlaces, 0);
  ASSERT_TRUE(answer.no);
  EXPECT_NE(answer.no->reason.find("llama-3-70b on headset-npu"), std::string::npos);
}

}  // namespace
}  // namespace presil

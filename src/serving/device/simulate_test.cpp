#include "serving/device/simulate.h"

#include <cmath>

#include <gtest/gtest.h>

#include "serving/device/policy.h"
#include "serving/device/testing/phone.h"

namespace presil::serving {
namespace {

using testing::ms;
using testing::Phone;
using testing::request_of;

PolicyResult run_one(const Phone& phone, std::vector<Request> requests) {
  return simulate_device(phone.spec, phone.parts, requests, 1).policies.front();
}

TEST(Device, ARequestOnTheDeviceTakesItsStepsAndNoNetwork) {
  Phone phone;
  phone.add_policy(Place::device);
  phone.spec.prefill_chunk = 60;

  const PolicyResult r = run_one(phone, {request_of(0, ms(0), 100, 3)});

  // Chunks of 60 and 40 tokens: 70 + 50 ms; then two steps of 11 ms.
  EXPECT_DOUBLE_EQ(r.ttft_s.mean, 0.120);
  EXPECT_DOUBLE_EQ(r.e2e_s.mean, 0.142);
  EXPECT_NEAR(r.tpot_s.mean, 0.011, 1e-12);
  EXPECT_NEAR(r.energy.compute.count(), 5 * 0.142, 1e-12);
  EXPECT_NEAR(r.energy.radio.count(), 0.01 * 0.142, 1e-12);
  EXPECT_NEAR(r.energy.idle.count(), 1 * 0.142, 1e-12);
  EXPECT_EQ(r.bytes_up + r.bytes_down, 0);
  EXPECT_EQ(r.cloud_usd, 0);
}

TEST(Device, ARequestInTheCloudTakesTheNetworkAndItsTail) {
  Phone phone;
  phone.add_policy(Place::cloud);

  const PolicyResult r = run_one(phone, {request_of(0, ms(0), 100, 2)});

  // Up: 100 ms to connect, 2,000 bytes in 2 ms, 20 ms; 6 ms of reading; down: 20 ms, 200 bytes in
  // 0.2 ms. The second token is written 5.01 ms after the first and comes as much later.
  EXPECT_NEAR(r.ttft_s.mean, 0.1482, 1e-9);
  EXPECT_NEAR(r.e2e_s.mean, 0.15321, 1e-9);
  EXPECT_EQ(r.bytes_up, 2000);
  EXPECT_EQ(r.bytes_down, 400);
  EXPECT_NEAR(r.cloud_usd, (100 * 1 + 2 * 3) / 1e6, 1e-15);
  // Connecting 0.1 J; 2.4 ms of bytes at 2.5 W; the rest of the time until 1 s after the last byte
  // in the tail.
  EXPECT_NEAR(r.duration_s, 1.15321, 1e-9);
  EXPECT_NEAR(r.energy.radio.count(), 0.1 + 2.5 * 0.0024 + (1.15321 - 0.1 - 0.0024), 1e-9);
  EXPECT_NEAR(r.energy.idle.count(), 1.5 * 1.15321, 1e-9);
  EXPECT_EQ(r.energy.compute, Joules(0));
  EXPECT_NEAR(r.cloud_energy_j, 500 * (0.006 + 0.00501), 1e-9);
}

TEST(Device, ASplitPromptMovesItsCacheDownTheNetwork) {
  Phone phone;
  phone.add_policy(Place::split_prefill);

  const PolicyResult r = run_one(phone, {request_of(0, ms(0), 100, 3)});

  // As in the cloud until the first token; the cache, 100,000 bytes in 100 ms, follows it; then two
  // steps of 11 ms on the device.
  EXPECT_NEAR(r.ttft_s.mean, 0.1482, 1e-9);
  EXPECT_NEAR(r.e2e_s.mean, 0.1482 + 0.1 + 0.022, 1e-9);
  EXPECT_EQ(r.bytes_down, 200 + 100 * 1000);
  EXPECT_EQ(r.counts.split, 1);
}

TEST(Device, DraftsThatAreAlwaysRightComeInWholeRounds) {
  Phone phone;
  phone.add_policy(Place::speculate);
  phone.spec.speculation = {4, 1.0};

  const PolicyResult r = run_one(phone, {request_of(0, ms(0), 100, 11)});

  // The first token as in the cloud, while the device reads the prompt in 110 ms. Two rounds of
  // five: four drafts of 11 ms, 200 bytes up in 0.2 + 20 ms, a step of 5.05 ms, 20 ms and 1,000
  // bytes down in 1 ms.
  EXPECT_NEAR(r.ttft_s.mean, 0.1482, 1e-9);
  EXPECT_NEAR(r.e2e_s.mean, 0.1482 + 2 * (0.044 + 0.0202 + 0.00505 + 0.021), 1e-9);
  EXPECT_NEAR(r.cloud_usd, (100 * 1 + 11 * 3) / 1e6, 1e-15);
}

TEST(Device, DraftsThatAreNeverRightGiveATokenARound) {
  Phone phone;
  phone.add_policy(Place::speculate);
  phone.spec.speculation = {4, 0.0};
  const PolicyResult r = run_one(phone, {request_of(0, ms(0), 100, 6)});
  EXPECT_EQ(r.counts.finished, 1);
  EXPECT_EQ(r.bytes_up, 2000 + 5 * 200);
}

TEST(Device, AnAnswerIsHeldBackUntilItIsKnownToBeGood) {
  Phone phone;
  phone.add_policy(Place::escalate);
  phone.spec.escalation = {0.0, 4};
  const PolicyResult good = run_one(phone, {request_of(0, ms(0), 100, 10)});
  EXPECT_NEAR(good.ttft_s.mean, 0.110 + 3 * 0.011, 1e-9);  // the fourth token
  EXPECT_NEAR(good.e2e_s.mean, 0.110 + 9 * 0.011, 1e-9);
  EXPECT_EQ(good.counts.on_device, 1);

  phone.spec.escalation = {1.0, 4};
  const PolicyResult poor = run_one(phone, {request_of(0, ms(0), 100, 10)});
  EXPECT_NEAR(poor.ttft_s.mean, 0.143 + 0.1482, 1e-9);  // the cloud starts over
  EXPECT_EQ(poor.counts.escalated, 1);
  EXPECT_EQ(poor.counts.in_cloud, 1);
  EXPECT_EQ(poor.counts.on_device, 0);
}

TEST(Device, RulesDecideByLengthPrivacyBatteryAndNetwork) {
  Policy policy;
  Rule rule;
  rule.is_private = true;
  policy.rules.push_back(rule);
  rule = Rule{};
  rule.networks = {"wifi"};
  rule.prompt_above = 1000;
  rule.run = Place::cloud;
  policy.rules.push_back(rule);
  rule = Rule{};
  rule.battery_below = 0.2;
  rule.run = Place::split_prefill;
  policy.rules.push_back(rule);

  Job job;
  job.prompt = 1001;
  DeviceView view;
  view.network = "wifi";
  EXPECT_EQ(place_of(policy, job, view), Place::cloud);
  job.is_private = true;
  EXPECT_EQ(place_of(policy, job, view), Place::device);
  job.is_private = false;
  view.network = "5g";
  EXPECT_EQ(place_of(policy, job, view), Place::device);
  view.battery_left = 0.19;
  EXPECT_EQ(place_of(policy, job, view), Place::split_prefill);
}

TEST(Device, NetworksComeRound) {
  const std::vector<NetworkStretch> networks{
      {"wifi", Seconds(10)}, {"none", Seconds(5)}, {"5g", Seconds(10)}};
  EXPECT_EQ(network_at(networks, ms(9'999)), 0u);
  EXPECT_EQ(network_at(networks, ms(10'000)), std::nullopt);
  EXPECT_EQ(network_at(networks, ms(24'999)), 2u);
  EXPECT_EQ(network_at(networks, ms(25'000)), 0u);
  EXPECT_EQ(network_at({}, ms(0)), std::nullopt);
}

TEST(Device, WithoutANetworkTheDeviceDoesWhatItCan) {
  Phone phone;
  phone.add_policy(Place::cloud);
  phone.spec.networks = {{"none", Seconds(3600)}};
  phone.spec.max_context = 1000;

  const PolicyResult r =
      run_one(phone, {request_of(0, ms(0), 100, 3), request_of(1, ms(1), 999, 3)});

  EXPECT_EQ(r.counts.on_device, 1);
  EXPECT_EQ(r.counts.too_long, 1);
  EXPECT_EQ(r.counts.elsewhere, 2);
}

TEST(Device, AnEmptyBatteryEndsTheDayAndIsNeverNegative) {
  Phone phone;
  phone.add_policy(Place::device);
  phone.spec.battery = Battery{Joules(10), 0.5};

  // 6 W while it works: 5 J last for some 0.83 s, which is four requests of 120 ms + 8 x 11 ms.
  std::vector<Request> requests;
  for (int i = 0; i < 10; ++i) requests.push_back(request_of(i, ms(i), 100, 10));
  const PolicyResult r = run_one(phone, requests);

  EXPECT_EQ(r.counts.finished, 3);  // 209 ms each; the fourth would end at 836 ms
  EXPECT_EQ(r.counts.battery_empty, 7);
  EXPECT_EQ(r.battery_left, 0);
  EXPECT_NEAR(r.energy.total().count(), 5, 1e-9);
}

TEST(Device, HeatLowersTheClockAndStaysBelowTheSteadyState) {
  Phone phone;
  phone.add_policy(Place::device);
  phone.spec.thermal.skin.limit = Celsius(40);
  phone.spec.thermal.levels = {{1, 1}, {0.5, 1}};
  std::vector<Request> requests;
  for (int i = 0; i < 200; ++i) requests.push_back(request_of(i, ms(0), 490, 50));

  const PolicyResult r = run_one(phone, requests);

  EXPECT_GT(r.skin_max_c, 40);
  EXPECT_LE(r.skin_max_c, 25 + 4 * (5 + 1 + 0.01));
  EXPECT_LE(r.die_max_c, r.skin_max_c + 5 * 5);
  EXPECT_GT(r.throttled_share, 0.1);
  // Slower steps take longer: 200 x (500 + 49 x 11) ms at full clock.
  EXPECT_GT(r.duration_s, 200 * 1.039);
  EXPECT_LE(r.series.size(), 300u);
}

TEST(Device, SpeechKeepsUpOrSaysThatItDoesNot) {
  Phone phone;
  phone.add_policy(Place::device);
  SpeechSpec speech;
  speech.duration = Seconds(120);
  speech.frames = 500;
  phone.spec.speech = speech;

  // A chunk of 2 s: 510 ms to encode, 22 or 23 ms to read 12 or 13 tokens, 7 x 11 ms to write, 200
  // ms to speak.
  const PolicyResult fast = run_one(phone, {});
  ASSERT_TRUE(fast.speech);
  EXPECT_EQ(fast.counts.requests, 60);
  EXPECT_NEAR(fast.speech->real_time_factor, (0.510 + 0.0225 + 0.077 + 0.2) / 2, 1e-9);
  EXPECT_TRUE(fast.speech->keeps_up);
  EXPECT_NEAR(fast.speech->lag_p50_s, 0.510 + 0.0225 + 0.077 + 0.1, 0.001);
  // All at 5 W but for speaking at 1.5 + 0.5.
  EXPECT_NEAR(fast.speech->mj_per_speech_s, 1e3 * (5 * 0.6095 + 2 * 0.2) / 2, 1e-6);

  phone.spec.speech->frames = 2000;  // 2,010 ms to encode alone
  const PolicyResult slow = run_one(phone, {});
  EXPECT_GT(slow.speech->worst_minute, 1);
  EXPECT_FALSE(slow.speech->keeps_up);
  EXPECT_GT(slow.speech->lag_p99_s, 10);  // falls behind by 0.3 s a chunk
}

TEST(Device, SpeechInTheCloudComesBackAsSound) {
  Phone phone;
  phone.add_policy(Place::cloud);
  SpeechSpec speech;
  speech.duration = Seconds(60);
  phone.spec.speech = speech;
  const PolicyResult r = run_one(phone, {});
  EXPECT_EQ(r.counts.in_cloud, 30);
  EXPECT_EQ(r.bytes_down, 30 * 6000);
  EXPECT_TRUE(r.speech->keeps_up);
}

// Every policy on a busy, lossy, hot day: what nature would insist on.
class DeviceLaws : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(DeviceLaws, Hold) {
  const std::uint64_t seed = GetParam();
  Phone phone;
  for (const Place place :
       {Place::device, Place::cloud, Place::escalate, Place::split_prefill, Place::speculate}) {
    phone.add_policy(place);
  }
  phone.parts.radios.front().jitter = ms(5);
  phone.parts.radios.front().loss = 0.02;
  phone.parts.radios.push_back(Radio{});
  phone.spec.networks = {{"plain", Seconds(30)}, {"none", Seconds(4)}};
  phone.spec.cloud->batch = 8;
  phone.spec.cloud->wait = ms(30);
  phone.spec.battery = Battery{Joules(3000), 1};
  phone.spec.private_share = 0.3;
  phone.spec.max_context = 1500;
  phone.spec.thermal.skin.limit = Celsius(38);
  phone.spec.thermal.levels = {{1, 1}, {0.7, 0.8}, {0.4, 0.7}};
  Draws draws(seed, 1, 0);
  std::vector<Request> requests;
  Nanoseconds now;
  for (int i = 0; i < 300; ++i) {
    now += to_nanoseconds(Seconds(0.5 * draws.exponential()));
    requests.push_back(request_of(i, now, 1 + static_cast<std::int64_t>(draws.below(1500)),
                                  1 + static_cast<std::int64_t>(draws.below(60))));
  }

  const DeviceResult result = simulate_device(phone.spec, phone.parts, requests, seed);

  for (const PolicyResult& r : result.policies) {
    const DeviceCounts& c = r.counts;
    EXPECT_EQ(c.requests, 300);
    EXPECT_EQ(c.requests, c.finished + c.too_long + c.battery_empty) << r.policy;
    EXPECT_LE(c.finished, c.on_device + c.in_cloud + c.split);
    EXPECT_GE(r.battery_left, 0);
    EXPECT_NEAR(r.energy.total().count(), 3000 * (1 - r.battery_left), 1e-6) << r.policy;
    EXPECT_GE(r.energy.compute.count(), 0);
    EXPECT_LE(r.energy.compute.count(), 5 * r.busy_share * r.duration_s * (1 + 1e-9) + 1e-6);
    EXPECT_GE(r.energy.idle.count(), 1 * r.duration_s * (1 - 1e-9));
    EXPECT_LE(r.skin_max_c, 25 + 4 * (5 + 1 + 3.5));  // all of chip, rest and radio at once
    EXPECT_LE(r.ttft_s.p50, r.ttft_s.p99);
    EXPECT_LE(r.ttft_s.mean, r.e2e_s.mean);
    for (const BodySample& s : r.series) EXPECT_GE(s.battery, 0);
  }
  // Of what the device should do, what is too long goes to the cloud, but for private requests.
  EXPECT_GT(result.policies[0].counts.in_cloud, 0);
  EXPECT_EQ(result.policies[0].counts.private_in_cloud, 0);
  EXPECT_GT(result.policies[1].counts.private_in_cloud, 0);
}

INSTANTIATE_TEST_SUITE_P(Seeds, DeviceLaws, ::testing::Range<std::uint64_t>(1, 9));

TEST(Device, NoTokenFromTheCloudIsEarlierThanTheNetworkAllows) {
  Phone phone;
  phone.add_policy(Place::cloud);
  phone.parts.radios.front().jitter = ms(5);
  phone.parts.radios.front().loss = 0.1;
  for (std::uint64_t seed = 1; seed < 50; ++seed) {
    const std::vector<Request> requests{request_of(0, ms(0), 10, 20)};
    const PolicyResult r =
        simulate_device(phone.spec, phone.parts, requests, seed).policies.front();
    // To connect, two ways, and the steps; bytes left aside.
    EXPECT_GE(r.ttft_s.mean, 0.100 + 0.040 + 0.0051);
    EXPECT_GE(r.e2e_s.mean, 0.100 + 0.040 + 0.0051 + 19 * 0.00501);
  }
}

TEST(Device, TheSameSeedGivesTheSameResult) {
  Phone phone;
  phone.add_policy(Place::cloud);
  phone.add_policy(Place::speculate);
  phone.parts.radios.front().jitter = ms(5);
  phone.spec.cloud->wait = ms(30);
  std::vector<Request> requests;
  for (int i = 0; i < 20; ++i) requests.push_back(request_of(i, ms(i * 10), 50, 10));
  const DeviceResult both = simulate_device(phone.spec, phone.parts, requests, 7);
  phone.spec.policies.erase(phone.spec.policies.begin());
  const DeviceResult alone = simulate_device(phone.spec, phone.parts, requests, 7);
  EXPECT_EQ(both.policies[1].ttft_s.mean, alone.policies[0].ttft_s.mean);
  EXPECT_EQ(both.policies[1].energy.radio, alone.policies[0].energy.radio);
  EXPECT_NE(simulate_device(phone.spec, phone.parts, requests, 8).policies[0].ttft_s.mean,
            alone.policies[0].ttft_s.mean);
}

}  // namespace
}  // namespace presil::serving

#include "serving/cluster/spec.h"

#include <memory>

#include <gtest/gtest.h>

#include "base/document.h"

namespace presil::serving {
namespace {

template <class F>
auto read(const std::string& text, F reader) {
  const auto source = std::make_shared<const Source>(Source{"s.yaml", text});
  const Node root = parse_document(source, Syntax::yaml);
  Diagnostics log;
  Fields fields(root, "", log);
  auto result = reader(fields);
  fields.finish();
  log.throw_if_any();
  return result;
}

std::string refusal(const std::string& text) {
  try {
    read(text, [](Fields& fields) {
      read_cluster(fields);
      return read_classes(fields);
    });
  } catch (const InputError& error) {
    const Diagnostic& first = error.diagnostics().front();
    return std::to_string(first.line) + ": " + first.message;
  }
  return "";
}

bool says(const std::string& sentence, std::string_view part) {
  return sentence.find(part) != std::string::npos;
}

TEST(ClusterSpec, WithoutAWordIsTheLeastLoadedReplica) {
  const ClusterSpec spec = read("name: x\n", [](Fields& fields) {
    fields.text("name", "");
    return read_cluster(fields);
  });
  EXPECT_EQ(spec.router.routing, Routing::least_loaded);
  EXPECT_FALSE(spec.admission || spec.autoscale || spec.transfer);
}

TEST(ClusterSpec, ReadsAllItsBlocks) {
  const ClusterSpec spec = read(
      "router: prefix_aware\n"
      "balance: {requests: 10, ratio: 2}\n"
      "admission: {max_queue: 50, max_wait: 5 s, hold: 500 ms,\n"
      "  token_bucket: {rate: 1000 /s, burst: 4000}}\n"
      "autoscale: {by: busy, target: 0.7, min: 2, max: 8, start_up: 90 s, cool_down: 300 s,\n"
      "  interval: 15 s}\n"
      "transfer: {bandwidth: 50 GB/s, latency: 5 us}\n",
      read_cluster);

  EXPECT_EQ(spec.router.routing, Routing::prefix_aware);
  EXPECT_EQ(spec.router.balance_requests, 10);
  EXPECT_EQ(spec.admission->max_queue, 50);
  EXPECT_EQ(spec.admission->max_wait, Nanoseconds(5'000'000'000));
  EXPECT_EQ(spec.admission->hold, Nanoseconds(500'000'000));
  EXPECT_EQ(spec.admission->bucket->burst, 4000);
  EXPECT_EQ(spec.autoscale->by, ScaleBy::busy);
  EXPECT_EQ(spec.autoscale->max_replicas, 8);
  EXPECT_EQ(spec.autoscale->start_up, Nanoseconds(90'000'000'000));
  EXPECT_EQ(spec.transfer->bandwidth, BytesPerSecond(50e9));
}

TEST(ClusterSpec, BadValuesAreRefusedWhereTheyStand) {
  EXPECT_TRUE(says(refusal("router: fastest\n"), "1: router"));
  EXPECT_TRUE(says(refusal("autoscale: {target: 5, min: 4, max: 2}\n"), "at least `min`"));
  EXPECT_TRUE(says(refusal("autoscale: {by: busy, target: 5, max: 2}\n"), "at most 1"));
  EXPECT_TRUE(says(refusal("autoscale: {target: 5, max: 2, interval: 0 s}\n"), "interval"));
  EXPECT_TRUE(says(refusal("admission: {hold: 1000000000 s}\n"), "hold"));
  EXPECT_TRUE(says(refusal("admission: {max_que: 3}\n"), "max_queue"));
  EXPECT_TRUE(says(refusal("transfer: {latency: 5 us}\n"), "bandwidth"));
}

TEST(ServiceClasses, AreByShareOrByLength) {
  const auto by_share = read(
      "classes:\n"
      "  - {name: chat, share: 0.75, slo: [\"p99_ttft<=1s\"], priority: 1}\n"
      "  - {name: batch, share: 0.25}\n",
      read_classes);
  ASSERT_EQ(by_share.size(), 2u);
  int chats = 0;
  for (int id = 0; id < 10'000; ++id) {
    Request request;
    request.id = id;
    chats += class_of(by_share, request, 7) == 0;
  }
  EXPECT_NEAR(chats, 7500, 4 * 43.3);  // four standard deviations: sqrt(10,000 x 0.75 x 0.25)

  const auto by_length = read(
      "classes: [{name: short, prompt_tokens_up_to: 100}, {name: mid, prompt_tokens_up_to: 1000},"
      " {name: long}]\n",
      read_classes);
  Request request;
  for (const auto& [tokens, expected] :
       {std::pair{1, 0}, {100, 0}, {101, 1}, {1000, 1}, {1001, 2}}) {
    request.prompt_tokens = tokens;
    EXPECT_EQ(class_of(by_length, request, 7), expected) << tokens;
  }
  EXPECT_EQ(class_of({}, request, 7), 0);
}

TEST(ServiceClasses, ThatDoNotAddUpAreRefused) {
  EXPECT_TRUE(says(refusal("classes: [{name: a, share: 0.5}, {name: b, share: 0.4}]\n"),
                   "sum to 1, found 0.9"));
  EXPECT_TRUE(
      says(refusal("classes: [{name: a, share: 0.5, prompt_tokens_up_to: 10}]\n"), "found both"));
  EXPECT_TRUE(says(refusal("classes: [{name: a, prompt_tokens_up_to: 10}]\n"), "last class"));
  EXPECT_TRUE(says(refusal("classes: [{name: a, prompt_tokens_up_to: 10},"
                           " {name: b, prompt_tokens_up_to: 10}, {name: c}]\n"),
                   "ascending"));
}

}  // namespace
}  // namespace presil::serving

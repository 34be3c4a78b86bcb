// A server that takes one request at a time and as long for each is the queue M/D/1, whose mean
// wait has a formula: load x service / (2 (1 - load)) (Pollaczek 1930, Khinchine 1932).
#include <array>
#include <cmath>

#include <gtest/gtest.h>

#include "base/draws.h"
#include "serving/engine/replica.h"
#include "serving/engine/testing/one_replica.h"

namespace presil::serving {
namespace {

constexpr std::int64_t kService = 1'000'000;
constexpr int kBatches = 40;
constexpr double kStudent = 2.708;  // 99 % of Student's t with 39 degrees of freedom, both sides

/// Means of the wait in batches that follow each other.
class Waits final : public Observer {
 public:
  explicit Waits(std::int64_t a_batch) : a_batch_(a_batch) {}
  void finished(const RequestRecord& record) override {
    const auto batch = static_cast<std::size_t>(record.id / a_batch_);
    means_[batch] += static_cast<double>((record.first_scheduled - record.arrival).count()) /
                     static_cast<double>(a_batch_);
  }
  void between_tokens(Nanoseconds, std::int64_t, int) override {}

  double mean() const {
    double sum = 0;
    for (const double m : means_) sum += m;
    return sum / kBatches;
  }
  double half_width() const {
    double squares = 0;
    for (const double m : means_) squares += (m - mean()) * (m - mean());
    return kStudent * std::sqrt(squares / (kBatches - 1) / kBatches);
  }

 private:
  std::int64_t a_batch_;
  std::array<double, kBatches> means_{};
};

void expect_formula(double load, std::int64_t requests) {
  EngineOptions options;
  options.max_num_seqs = 1;
  options.num_blocks = 1;
  const testing::AffineCosts costs(kService, 0);
  Waits waits(requests / kBatches);
  Replica replica(0, options, costs, nullptr, waits);

  Draws gaps(5, 0, 0);
  double arrival = 0;
  for (std::int64_t id = 0; id < requests; ++id) {
    arrival += gaps.exponential() * static_cast<double>(kService) / load;
    const Request next = testing::request(id, static_cast<std::int64_t>(arrival), 1, 1);
    replica.advance(next.arrival - Nanoseconds(1));
    replica.submit(next, next.arrival);
  }
  replica.advance(kLongestService - Nanoseconds(1));

  const double formula = load * static_cast<double>(kService) / (2 * (1 - load));
  EXPECT_NEAR(waits.mean(), formula, waits.half_width());
  EXPECT_LE(waits.half_width(), 0.02 * formula);
}

TEST(QueueLaw, TheMeanWaitAtThirtyPercentIsTheFormulas) {
  expect_formula(0.3, 2'000'000);
}
TEST(QueueLaw, TheMeanWaitAtSixtyPercentIsTheFormulas) {
  expect_formula(0.6, 2'000'000);
}
TEST(QueueLaw, TheMeanWaitAtNinetyPercentIsTheFormulas) {
  expect_formula(0.9, 12'000'000);
}

}  // namespace
}  // namespace presil::serving

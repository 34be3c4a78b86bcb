#include "serving/metrics/series.h"

#include <gtest/gtest.h>

#include "serving/metrics/gantt.h"

namespace presil::serving {
namespace {

constexpr Nanoseconds ms(std::int64_t n) {
  return Nanoseconds(n * 1'000'000);
}

StepRecord step_of_ms(std::int64_t n) {
  StepRecord step;
  step.start = ms(n);
  step.end = ms(n + 1);
  return step;
}

TEST(TimeSeries, APointIsTheMeanOverItsBucket) {
  TimeSeries series;
  series.hold(ms(0), Nanoseconds(500'000), {.waiting = 4, .used_blocks = 10, .blocks = 40});
  series.hold(Nanoseconds(500'000), ms(2), {.waiting = 2, .used_blocks = 30, .blocks = 40});
  series.draw(ms(0), ms(2), 0.8);

  const std::vector<SeriesPoint> points = series.points(ms(2));

  ASSERT_EQ(points.size(), 2u);
  EXPECT_DOUBLE_EQ(points[0].queue, 3);     // 4 for one half, 2 for the other
  EXPECT_DOUBLE_EQ(points[0].kv_use, 0.5);  // 1/4 and 3/4
  EXPECT_DOUBLE_EQ(points[1].queue, 2);
  EXPECT_DOUBLE_EQ(points[1].t_s, 0.001);
  EXPECT_NEAR(points[1].power_w, 0.8 / 0.002, 1e-9);
}

TEST(TimeSeries, ALongRunHasWiderBucketsAndLosesNothing) {
  TimeSeries series;
  const std::int64_t seconds = 1000;
  for (std::int64_t i = 0; i < seconds; ++i) {
    series.hold(ms(1000 * i), ms(1000 * (i + 1)), {.running = i % 10, .replicas = 1});
    series.draw(ms(1000 * i), ms(1000 * (i + 1)), 3);
  }

  const std::vector<SeriesPoint> points = series.points(ms(1000 * seconds));

  EXPECT_LE(points.size(), TimeSeries::kPoints);
  EXPECT_GE(points.size(), TimeSeries::kPoints / 2);
  double running = 0, joules = 0;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const double end = i + 1 < points.size() ? points[i + 1].t_s : 1000;
    running += points[i].running * (end - points[i].t_s);
    joules += points[i].power_w * (end - points[i].t_s);
    EXPECT_DOUBLE_EQ(points[i].replicas, 1);
  }
  EXPECT_NEAR(running, 4500, 1e-6);  // 0 to 9, a hundred times, a second each
  EXPECT_NEAR(joules, 3000, 1e-6);
}

TEST(TimeSeries, OfNoTimeHasNoPoints) {
  TimeSeries series;
  series.draw(ms(0), ms(0), 1);
  EXPECT_TRUE(series.points(ms(0)).empty());
}

TEST(TimeSeries, ALastInstantOnTheEdgeOfItsBucketsIsKept) {
  TimeSeries series;
  series.draw(ms(300), ms(300), 1);
  series.hold(ms(0), ms(600), {.waiting = 1});
  EXPECT_EQ(series.points(ms(600)).size(), 150u);  // 4 ms each
}

TEST(GanttWindow, OfAShortRunIsAllOfIt) {
  GanttWindow window;
  for (int i = 0; i < 7; ++i) window.add(step_of_ms(i));
  ASSERT_EQ(window.steps().size(), 7u);
  EXPECT_EQ(window.steps().front().start, ms(0));
}

TEST(GanttWindow, OfALongRunLiesBetweenItsStartAndItsEnd) {
  for (const int steps : {2'000, 5'555, 100'000, 100'700, 118'000}) {
    GanttWindow window;
    for (int i = 0; i < steps; ++i) window.add(step_of_ms(i));

    ASSERT_EQ(window.steps().size(), GanttWindow::kSteps);
    EXPECT_GE(window.steps().front().start, ms(steps / 3)) << steps;
    EXPECT_LE(window.steps().front().start, ms(3 * steps / 4)) << steps;
    for (std::size_t i = 1; i < window.steps().size(); ++i) {
      EXPECT_EQ(window.steps()[i].start, window.steps()[i - 1].end);
    }
  }
}

}  // namespace
}  // namespace presil::serving

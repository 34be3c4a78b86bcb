#include "base/progress.h"

#include <string>

#include <gtest/gtest.h>

namespace presil {
namespace {

// A terminal and a clock in the hands of the test.
struct Stage {
  std::string written;
  std::chrono::steady_clock::time_point now;

  Progress progress(std::int64_t total, Terminal terminal) {
    return Progress(
        "points", total, terminal, [this](std::string_view text) { written += text; },
        [this] { return now; });
  }
};

constexpr Terminal kTerminal{.interactive = true, .colour = true, .width = 80};

TEST(Progress, IsSilentInTheFirstSecond) {
  Stage stage;
  {
    Progress progress = stage.progress(4, kTerminal);
    stage.now += std::chrono::milliseconds(900);
    progress.advance();
  }
  EXPECT_EQ(stage.written, "");
}

TEST(Progress, RewritesOneLineAndClearsItAtTheEnd) {
  Stage stage;
  {
    Progress progress = stage.progress(4, kTerminal);
    stage.now += std::chrono::seconds(2);
    progress.advance(1, "first");
    progress.advance(1);  // no time has passed: not drawn
    stage.now += std::chrono::seconds(1);
    progress.advance(1);
  }
  EXPECT_EQ(stage.written,
            "\rpoints 1/4 (25 %), 2 s, first\x1b[K\rpoints 3/4 (75 %), 3 s\x1b[K\r\x1b[K");
}

TEST(Progress, WritesNothingWhereStderrIsNotATerminal) {
  Stage stage;
  {
    Progress progress = stage.progress(4, Terminal{});
    stage.now += std::chrono::seconds(5);
    progress.advance();
  }
  EXPECT_EQ(stage.written, "");
}

TEST(Progress, ThereIsOneLine) {
  Stage whole, part;
  Progress outer = whole.progress(4, kTerminal);
  whole.now += std::chrono::seconds(2);
  outer.advance();
  {
    Progress inner = part.progress(9, kTerminal);
    part.now += std::chrono::seconds(2);
    inner.advance();
  }
  EXPECT_EQ(part.written, "");
  EXPECT_EQ(whole.written, "\rpoints 1/4 (25 %), 2 s\x1b[K");
}

TEST(Progress, NeverWrapsTheLine) {
  Stage stage;
  Progress progress = stage.progress(0, {.interactive = true, .colour = false, .width = 10});
  stage.now += std::chrono::seconds(2);
  progress.advance(1, "détail");

  EXPECT_EQ(stage.written, "\rpoints 1,\x1b[K");  // 9 columns of 10
}

}  // namespace
}  // namespace presil

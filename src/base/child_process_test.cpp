#include "base/child_process.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace presil {
namespace {

TEST(ChildProcess, AnswersLineByLine) {
  ChildProcess echo({"cat"});

  echo.write_line("first");
  EXPECT_EQ(echo.read_line(), "first");
  echo.write_line("second\nthird");
  EXPECT_EQ(echo.read_line(), "second");
  EXPECT_EQ(echo.read_line(), "third");
}

TEST(ChildProcess, BytesFollowALine) {
  ChildProcess child({"sh", "-c", "printf 'head\\n'; head -c 200000 /dev/zero; printf 'tail\\n'"});
  std::vector<std::byte> zeros(200000, std::byte{1});

  EXPECT_EQ(child.read_line(), "head");
  child.read(zeros);
  EXPECT_EQ(zeros, std::vector<std::byte>(200000));
  EXPECT_EQ(child.read_line(), "tail");
}

TEST(ChildProcess, AProgramThatIsNotThereIsMissing) {
  EXPECT_THROW(ChildProcess({"no-such-program-of-ours"}), MissingInput);
}

TEST(ChildProcess, AProgramThatEndsEarlyIsReportedAndNoSignalKillsUs) {
  ChildProcess child({"true"});

  EXPECT_THROW(child.read_line(), MissingInput);
  EXPECT_THROW(
      {
        for (int i = 0; i < 100; ++i) child.write_line("hello");
      },
      MissingInput);
}

TEST(ChildProcess, IsGoneWithItsObject) {
  // `sleep` would hold the destructor for a minute if it were waited for and not ended.
  { ChildProcess child({"sleep", "60"}); }
  SUCCEED();
}

}  // namespace
}  // namespace presil

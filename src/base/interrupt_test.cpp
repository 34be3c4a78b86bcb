#include "base/interrupt.h"

#include <csignal>
#include <cstdlib>

#include <gtest/gtest.h>

#include "base/error.h"

namespace presil {
namespace {

TEST(Interrupt, IsSilentUntilCtrlCAndThenThrows) {
  catch_interrupts();
  EXPECT_NO_THROW(check_interrupt());

  std::raise(SIGINT);

  EXPECT_TRUE(interrupted());
  EXPECT_THROW(check_interrupt(), Interrupted);
  catch_interrupts();  // the next test starts afresh
}

TEST(Interrupt, WhoHoldsItSeesItAndMayTakeItWhileWorkGoesOn) {
  catch_interrupts();
  {
    const HoldInterrupts hold;
    std::raise(SIGINT);
    EXPECT_TRUE(interrupted());
    EXPECT_NO_THROW(check_interrupt());
    EXPECT_TRUE(take_interrupt());
  }
  EXPECT_FALSE(interrupted());
  EXPECT_NO_THROW(check_interrupt());

  std::raise(SIGINT);  // is a first one again
  EXPECT_THROW(check_interrupt(), Interrupted);
  catch_interrupts();
}

TEST(InterruptDeathTest, ASecondCtrlCEndsTheProcess) {
  const auto press_twice = [] {
    catch_interrupts();
    std::raise(SIGINT);
    std::raise(SIGINT);
    std::exit(0);  // not reached
  };

  EXPECT_EXIT(press_twice(), testing::KilledBySignal(SIGINT), "");
}

}  // namespace
}  // namespace presil

// Corners of refresh, for both engines.
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/error.h"
#include "chip/library.h"
#include "dram/event/channel.h"
#include "dram/reference/reference.h"

namespace presil::dram {
namespace {

MemoryPart golden_part() {
  const std::string path = std::string(PRESIL_SOURCE_DIR) + "/test/dram/r-hbm3-1pc.yaml";
  return load_dram(path, "", {}, PRESIL_SOURCE_DIR).part;
}

template <class AnyChannel>
class RefreshOf : public ::testing::Test {};
using Engines = ::testing::Types<ReferenceChannel, Channel>;
TYPED_TEST_SUITE(RefreshOf, Engines);

TYPED_TEST(RefreshOf, ADebtTakesAlongWhatFallsDueRightAfterItsLastRefresh) {
  Policy policy;
  policy.controller.postpone = 3;
  MemoryPart part = golden_part();
  part.tREFI = {Picoseconds(0), 300};  // 600 ticks
  part.tRFCab = {Picoseconds(0), 89};  // REFab to REFab 178
  TypeParam channel(part, part.rate, policy);
  std::vector<LoggedCommand> log;
  channel.log_to(&log);
  while (channel.now() < 3300) {  // row hits without end
    if (channel.has_room(0, false)) channel.accept(0, {0, 7, 0}, false, 0);
    channel.step();
  }
  std::vector<Tick> refreshes;
  for (const LoggedCommand& c : log) {
    if (c.command == Command::REFab) refreshes.push_back(c.tick);
  }
  // RD at 65 and then 8 apart. The fourth refresh is one too many, at 2400: the last RD was at
  // 2393, PREab comes tRTP 19 later, REFab tRPab 52 later at an edge. Before the last of the four,
  // at 2999, has made room for anything, the fifth is due at 3000.
  EXPECT_EQ(refreshes, (std::vector<Tick>{2465, 2643, 2821, 2999, 3177}));
}

TYPED_TEST(RefreshOf, RefusesBanksDueSoOftenThatNothingElseFits) {
  Policy policy;
  policy.refresh = Refresh::per_bank;
  MemoryPart part = golden_part();  // 32 banks; tRREFD 13 CK
  part.tRFCab = {Picoseconds(0), 400};
  part.tREFI = {Picoseconds(0), 32 * 2 * 13};
  EXPECT_NO_THROW(TypeParam(part, part.rate, policy));
  part.tREFI = {Picoseconds(0), 32 * 2 * 13 - 1};
  EXPECT_THROW(TypeParam(part, part.rate, policy), InputError);
}

}  // namespace
}  // namespace presil::dram

// For tests: what must hold on every set of vector instructions that this machine has.
#pragma once

#include <gtest/gtest.h>
#include <hwy/highway.h>

namespace presil::testing {

/// Calls `claim` once for each; the instructions' name is part of a failure's message.
template <class Claim>
void on_every_target(const Claim& claim) {
  for (const std::int64_t target : hwy::SupportedAndGeneratedTargets()) {
    SCOPED_TRACE(hwy::TargetName(target));
    hwy::SetSupportedTargetsForTest(target);
    claim();
  }
  hwy::SetSupportedTargetsForTest(0);
}

}  // namespace presil::testing

// For tests of bad input: the sentence that a refusal says.
#pragma once

#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace presil::testing {

/// What the exception of type E says that `action` throws, or "accepted".
template <class E, class F>
std::string refusal(F action) {
  try {
    action();
  } catch (const E& e) {
    return e.what();
  }
  return "accepted";
}

/// EXPECT_TRUE(says(message, part)) shows the message when it does not hold `part`.
inline ::testing::AssertionResult says(const std::string& message, std::string_view part) {
  if (message.find(part) != std::string::npos) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << '"' << message << "\" does not say \"" << part << '"';
}

}  // namespace presil::testing

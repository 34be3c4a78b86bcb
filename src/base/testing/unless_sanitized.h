// How many cases a test takes that computes much. Sanitizers make it some ten times as slow; what
// they look for, a wrong access, shows in the first cases, and what all of them compute is held in
// the release build.
#pragma once

namespace presil {

constexpr int unless_sanitized([[maybe_unused]] int usual, [[maybe_unused]] int sanitized) {
#ifdef __SANITIZE_ADDRESS__
  return sanitized;
#else
  return usual;
#endif
}

}  // namespace presil

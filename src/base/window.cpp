#include "base/window.h"

#include <algorithm>

namespace presil {

std::int64_t first_key_seen(Window window, std::int64_t context) {
  if (window.keys == 0) return 0;
  if (window.chunked) return context / window.keys * window.keys;
  return std::max<std::int64_t>(0, context + 1 - window.keys);
}

std::int64_t pairs_seen(Window window, std::int64_t queries) {
  if (window.both_ways) return queries * queries;
  const auto rising = [](std::int64_t n) { return n * (n + 1) / 2; };
  if (window.keys == 0 || queries <= window.keys) return rising(queries);
  if (window.chunked) {
    return queries / window.keys * rising(window.keys) + rising(queries % window.keys);
  }
  return rising(window.keys) + (queries - window.keys) * window.keys;
}

}  // namespace presil

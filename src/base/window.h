// Which keys a query sees: all before it, those of a sliding window, those of its chunk, or those
// after it, too.
#pragma once

#include <cstdint>

namespace presil {

/// keys 0: all. Otherwise the last `keys` of them, the query's own included; or, chunked (Llama 4),
/// those in the same stretch of `keys` positions. Both ways (encoders): all keys of the step, those
/// of later positions, too.
struct Window {
  std::int64_t keys = 0;
  bool chunked = false;
  bool both_ways = false;
  friend bool operator==(const Window&, const Window&) = default;
};

/// The first key that a query after `context` tokens sees.
std::int64_t first_key_seen(Window window, std::int64_t context);

/// The (query, key) pairs of the queries at positions 0 to `queries` - 1.
std::int64_t pairs_seen(Window window, std::int64_t queries);

}  // namespace presil

#include "values/product/segments.h"

#include <algorithm>

#include "base/integers.h"

namespace presil {
namespace {

/// The next multiple of `step` counted from `origin` after `at`.
std::int64_t next_cut(std::int64_t at, std::int64_t origin, std::int64_t step) {
  return origin + ((at - origin) / step + 1) * step;
}

}  // namespace

std::vector<Segment> cut_into_segments(std::int64_t k, KTiling tiling, std::int64_t promote_every,
                                       std::int64_t span, std::int64_t other_span) {
  const std::int64_t tile = tiling.tile > 0 ? tiling.tile : k;
  const std::int64_t share = ceil_div(ceil_div(k, tile), tiling.split) * tile;
  const std::int64_t step = promote_every > 0 ? promote_every : tile;
  std::vector<Segment> segments;
  for (std::int64_t core = 0; core < k; core += share) {
    const std::int64_t core_end = std::min(core + share, k);
    for (std::int64_t at = core; at < core_end;) {
      const std::int64_t end = std::min(
          {core_end, next_cut(at, core, step), next_cut(at, 0, span), next_cut(at, 0, other_span)});
      segments.push_back({at, end, end == core_end});
      at = end;
    }
  }
  return segments;
}

}  // namespace presil

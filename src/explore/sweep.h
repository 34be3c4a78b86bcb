// A grid of design points in one process: every combination of the values given for some fields.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "explore/run.h"
#include "explore/run_json.h"
#include "store/store.h"

namespace presil {

/// One "--set key=a,b,c".
struct SweepAxis {
  std::string key;
  std::vector<std::string> values;
};

/// Throws InputError without '=', a key or a value.
SweepAxis parse_axis(std::string_view argument);

/// The largest grid that is run.
inline constexpr std::size_t kLargestGrid = 100'000;

/// Runs `base` (in cycles mode) at every point of the grid, on all threads that oneTBB is given.
/// Points whose key is in `store` are taken from there, new ones are put there. A point that the
/// chip cannot do is a point with status "infeasible". Returns "schema": "presil/sweep/1" (without
/// host); `reused` becomes the number of points that the store had. Throws InputError for a grid
/// over kLargestGrid and for a point whose input is wrong.
Json sweep(const RunRequest& base, const std::vector<SweepAxis>& axes, const Places& places,
           Store& store, std::int64_t& reused);

/// Indices of the points that no other beats in both of two figures: decode tokens/s against
/// dollars a million tokens where there is a decode phase, else prefill time against energy.
std::vector<std::size_t> pareto(const Json& points);

}  // namespace presil

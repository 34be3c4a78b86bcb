#include "explore/what_fits.h"

#include <algorithm>
#include <optional>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "explore/prepare.h"
#include "explore/steps.h"

namespace presil {
namespace {

constexpr std::int64_t kMostChips = 1024;

/// What the fullest chip holds when `request` fits; nothing when it does not, or cannot be.
std::optional<Bytes> footprint(const RunRequest& request, const Places& places) {
  try {
    const auto prepared = prepare(request, places);
    if (!prepared) return std::nullopt;
    Bytes most(0);
    for (const Program* stage : stages_of(*prepared)) {
      for (const PhaseSteps& phase : steps_of(request, std::nullopt, page_tokens(*prepared))) {
        for (const Step& step : phase.steps) {
          const auto bound = bind(*stage, step);
          if (!bound) return std::nullopt;
          most = std::max(most, bound->dram_footprint);
        }
      }
    }
    return most;
  } catch (const InputError&) {
    return std::nullopt;  // a split that does not divide, a format that the chip does not have
  }
}

std::optional<std::string> answer(const RunRequest& request, const std::string& options,
                                  const Places& places) {
  const auto bytes = footprint(request, places);
  if (!bytes) return std::nullopt;
  const double gb = static_cast<double>(bytes->count()) / 1e9;
  return fmt::format("{} would fit ({:.{}f} GB a chip)", options, gb, gb < 1 ? 3 : 1);
}

/// The smallest tensor group, else the shortest pipeline of the largest group that can be.
std::optional<std::string> more_chips(RunRequest q, const Places& places) {
  RunRequest largest = q;
  for (q.tensor_parallel *= 2; q.tensor_parallel <= kMostChips; q.tensor_parallel *= 2) {
    try {
      if (!prepare(q, places)) continue;
    } catch (const InputError&) {
      continue;
    }
    largest = q;
    if (auto fits = answer(q, fmt::format("--tp {}", q.tensor_parallel), places)) return fits;
  }
  q = largest;
  for (q.pipeline_parallel = largest.pipeline_parallel + 1; chips_of(q) <= kMostChips;
       ++q.pipeline_parallel) {
    const std::string options =
        q.tensor_parallel > 1
            ? fmt::format("--tp {} --pp {}", q.tensor_parallel, q.pipeline_parallel)
            : fmt::format("--pp {}", q.pipeline_parallel);
    if (auto fits = answer(q, options, places)) return fits;
  }
  return std::nullopt;
}

std::optional<std::string> narrower_weights(RunRequest q, const Places& places) {
  if (!q.weights.empty()) return std::nullopt;
  for (const char* dtype : {"fp8_e4m3", "int8", "int4"}) {
    q.dtype = dtype;
    if (auto fits = answer(q, fmt::format("--dtype {}", dtype), places)) return fits;
  }
  return std::nullopt;
}

}  // namespace

std::string what_would_fit(const RunRequest& request, const Places& places) {
  std::vector<std::string> answers;
  for (auto& found : {more_chips(request, places), narrower_weights(request, places)}) {
    if (found) answers.push_back(*found);
  }
  return fmt::format("{}", fmt::join(answers, "; "));
}

}  // namespace presil

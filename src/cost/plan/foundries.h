// Two foundries for one design: what moving a share of the volume from one to the other does to
// dollars, watts, wafers and stacks. Each foundry that makes any chip is paid a mask set, and the
// second a port of the design (prices.port).
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "cost/plan/break_even.h"
#include "cost/port.h"
#include "cost/price.h"

namespace presil {

struct FoundriesSpec {
  std::string chip;     // designed for its file's own node
  PortTo second;        // the other foundry's node, and its package
  std::int64_t volume;  // chips of both together
  std::int64_t points;  // shares from 0 to 1
};

FoundriesSpec read_foundries(Fields& fields);

struct FoundryPoint {
  double share = 0;   // of the volume, at the second foundry
  Band usd_per_chip;  // mean over all chips, design and masks of both included
  Watts watts;        // mean power limit of a chip
  double first_wafers = 0, second_wafers = 0;
  double stacks = 0;
};

struct FoundriesResult {
  FoundriesSpec spec;
  std::string first, second;  // nodes
  Port port;
  std::vector<FoundryPoint> points;
  BreakEven break_even;  // of the second foundry against the first, design left out
};

/// Bills that are `low` have both foundries cheap, those that are `high` both dear.
FoundriesResult compare_foundries(const FoundriesSpec& spec,
                                  const std::vector<std::string>& overrides, const Prices& prices,
                                  const std::filesystem::path& home);

}  // namespace presil

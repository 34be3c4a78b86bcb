// What `presil cost` is asked and what it answers: a chip's bill, perhaps on another node or in
// another package, its year in service, and how sure all of it is.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "cost/ownership.h"
#include "cost/plan/break_even.h"
#include "cost/port.h"
#include "cost/price.h"
#include "cost/spread/spread.h"

namespace presil {

struct CostRequest {
  std::string chip;
  PortTo to;
  std::int64_t volume = 0;   // chips that pay for design and masks; 0 leaves both out
  std::int64_t samples = 0;  // of the Monte Carlo; 0: none
  std::uint64_t seed = 0;
  bool tornado = false;
};

struct CostAnswer {
  CostRequest request;
  PortedChip chip;
  ChipPrice price;
  YearBill year;                        // in service, at the typical utilisation
  Watts mean_power;                     // of that year
  std::optional<BreakEven> break_even;  // of a chip that was moved between nodes
  std::optional<MonteCarlo> monte_carlo;
  std::vector<Swing> tornado;
};

/// Throws as load_chip and price_chip do.
CostAnswer answer_cost(const CostRequest& request, const std::vector<std::string>& overrides,
                       const std::filesystem::path& home);

}  // namespace presil

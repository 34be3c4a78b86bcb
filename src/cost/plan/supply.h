// Supply is a price too: yearly ceilings on wafers, stacks and interposers give the chips that can
// be delivered by a date, and say which of them it waits for.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "chip/library.h"
#include "cost/price.h"

namespace presil {

/// What one supplier delivers: nothing for `lead`, then a rate that grows evenly to `per_year` over
/// `ramp`.
struct Ceiling {
  double per_year = 0;
  Seconds lead, ramp;
};

struct SupplySpec {
  std::string chip;
  double wanted = 0;                                   // chips; 0: as many as there are
  std::optional<Ceiling> wafers, stacks, interposers;  // without one there is no ceiling
  Seconds assembly;                                    // from the last part to a tested chip
  Seconds every, until;                                // dates of the answer
  std::string instead;  // a chip with a market price, bought for each that is missing; "": none
};

/// `wafers.lead` may be left out where the chip's node has a cycle time; see plan_supply.
SupplySpec read_supply(Fields& fields);

struct SupplyPoint {
  Seconds date;            // since the order
  double deliverable = 0;  // chips, at most what is wanted
  std::string bound_by;    // "wafers", "stacks", "interposers" or "wanted"
  double missing_usd = 0;  // for buying `instead` what is missing, less what it would have cost
};

struct SupplyResult {
  std::vector<SupplyPoint> by_date;
  double wafers_per_chip = 0, stacks_per_chip = 0, interposers_per_chip = 0;  // losses included
  std::optional<Seconds> all;  // when all that is wanted can be delivered; none within 100 years
  std::string all_bound_by;    // what that waits for
};

/// Throws InputError when no part has a ceiling, or one is given that the chip does not use.
SupplyResult plan_supply(const SupplySpec& spec, const ChipFiles& files, const Prices& prices,
                         const std::filesystem::path& home);

}  // namespace presil

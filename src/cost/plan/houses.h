// One house for foundry, memory and packaging, or a house for each: whose margins a chip carries,
// how long it takes, and who pays when a stack proves bad after it was placed.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "cost/port.h"
#include "cost/price.h"

namespace presil {

/// Gross margins: the share of a price that is not cost.
struct Margins {
  double foundry = 0, memory = 0, packaging = 0;
};

enum class BadStackPaidBy {
  buyer,  // all that was assembled, at what it paid
  maker,  // the maker replaces its stack; the buyer loses what was assembled with it
  house,  // the house, at its own cost: the buyer's price carries the loss without a margin
};

struct House {
  std::string name;
  PortTo to;  // "" and "": as the chip's file
  Margins margins;
  BadStackPaidBy bad_stack = BadStackPaidBy::buyer;
  std::int64_t handovers = 0;  // of goods between companies
  Seconds handover;            // each: shipping, receiving, test on arrival
};

struct HousesSpec {
  std::string chip;
  Margins listed;      // those that are in the price list, which bills are made of
  double capital = 0;  // cost of the money tied up, a year
  Seconds stack_lead;  // from order to stack
  Seconds assembly;
  House one, three;
};

HousesSpec read_houses(Fields& fields);

struct HouseBill {
  std::string name;
  std::string node, package;
  std::vector<CostLine> lines;  // USD a chip; they sum to usd_per_chip, exactly (BillLine)
  Band usd_per_chip;
  Seconds lead_time;  // from order to chip
  Watts watts;        // the chip's power limit
};

struct HousesResult {
  HouseBill one, three;
};

/// Throws as load_ported and price_chip do.
HousesResult compare_houses(const HousesSpec& spec, const std::vector<std::string>& overrides,
                            const Prices& prices, const std::filesystem::path& home);

}  // namespace presil

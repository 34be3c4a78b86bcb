// The price list of packages/prices.yaml: what is bought by the piece, what an HBM stack costs its
// maker, and what owning a chip costs. Bands are in the order of their values: a yield or a
// utilisation is low where it is dear.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include "base/fields.h"
#include "base/units.h"

namespace presil {

struct DramPrice {
  Band per_gb;               // USD/GB
  std::int64_t tallest = 0;  // dies of the highest stack it was quoted for; 0: any
};

/// What an HBM stack is made of, for those heights that nobody quotes.
struct StackParts {
  SquareMillimetres die_area;
  Band wafer_price;  // USD: of DRAM dies with vias
  Band die_yield;
  Band base_die;    // USD
  Band bond;        // USD for each die placed
  Band bond_yield;  // of each die placed; a failure loses the stack
  Band test;        // USD
  Band margin;      // share of the maker's price that is not cost
};

/// What turns a chip into a service: capital around it, and the bills while it runs.
struct Ownership {
  Seconds lifetime;  // that chip and server are written off over
  Band utilisation;  // share of the time that the chip works
  // USD for each kW of the chip's power limit.
  Band board;
  Band host;
  // USD for each kW of server power.
  Band power_delivery;
  Band cooling;
  Band rack;
  Band building;
  Seconds building_lifetime;
  Band network_share;  // of chip and server together
  Band electricity;    // USD/kWh
  Band pue;            // power of the site over power of its servers
  Band server_power;   // power of a server over power of its chips
  Band failures;       // of a chip, a year
  Band repair;         // of a failure, as a share of the chip's price
  Seconds repair_time;
};

struct Prices {
  std::map<std::string, DramPrice> dram;     // by family of memory part
  std::map<std::string, StackParts> stacks;  // by family
  Band bad_stack;  // share of stacks that prove bad only after they were placed
  Band design;     // USD: one chip from idea to tape-out, without masks
  Band port;       // share of `design` that a second foundry costs again
  Ownership ownership;
  Sources sources;
  std::filesystem::path file;
};

/// Validates and converts a parsed price list. Throws InputError with every complaint.
Prices read_prices(const Node& root);

Schema prices_schema();

/// Reads home/packages/prices.yaml. Throws InputError with every complaint.
Prices load_prices(const std::filesystem::path& home);

/// "found: document" for `field` of a file, or for the nearest group around it; "" when there is
/// none.
std::string source_text(const Sources& sources, std::string_view field);

}  // namespace presil

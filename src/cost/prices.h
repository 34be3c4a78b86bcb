// The price list of packages/prices.yaml: what is bought by the piece, and what owning costs.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "base/fields.h"
#include "base/units.h"

namespace presil {

/// What turns a chip into a service: capital around it, and the bills while it runs.
struct Ownership {
  Seconds lifetime;
  double utilisation = 1;    // share of the time that the chip works
  Band server;               // USD: host, board, cooling for each kW of chip power limit
  double network_share = 0;  // of chip and server together
  Band building;             // USD for each kW of server power
  Seconds building_lifetime;
  Band electricity;         // USD/kWh
  double pue = 1;           // power of the site over power of its servers
  double server_power = 1;  // power of a server over power of its chips
};

struct Prices {
  std::map<std::string, Band> dram;  // USD/GB by family of memory part
  Band design;                       // USD: one chip from idea to tape-out, without masks
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

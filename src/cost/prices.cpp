#include "cost/prices.h"

#include <fmt/format.h>

#include "base/describe.h"

namespace presil {
namespace {

constexpr Range kShare{0, 1};
constexpr Range kYield{0.01, 1};

DramPrice read_dram_price(Fields& f) {
  DramPrice p;
  p.per_gb = f.band("price", "of 1e9 bytes", Dimension::usd_per_gigabyte);
  p.tallest =
      f.integer_or("tallest", "dies of the highest stack it was quoted for; 0: any", 0, {0, 64});
  return p;
}

StackParts read_stack_parts(Fields& f) {
  StackParts s;
  s.die_area = f.quantity<SquareMillimetres>("die_area", "of one DRAM die");
  s.wafer_price = f.band("wafer_price", "of DRAM dies with vias", Dimension::usd);
  s.die_yield = f.number_band("die_yield", "of one DRAM die", kYield);
  s.base_die = f.band("base_die", "the logic under the dies", Dimension::usd);
  s.bond = f.band("bond", "placing one die", Dimension::usd);
  s.bond_yield = f.number_band("bond_yield", "of placing one die", kYield);
  s.test = f.band("test", "of a finished stack", Dimension::usd);
  s.margin = f.number_band("margin", "share of the price that is not cost", {0, 0.95});
  return s;
}

Ownership read_ownership(Fields& f) {
  Ownership o;
  o.lifetime = f.quantity<Seconds>("lifetime", "that chip and server are written off over");
  o.utilisation = f.number_band("utilisation", "share of the time that the chip works", {0.001, 1});
  o.board = f.band("board", "for each kW of chip limit", Dimension::usd);
  o.host = f.band("host", "processors, memory, chassis for each kW of chip limit", Dimension::usd);
  o.power_delivery = f.band("power_delivery", "for each kW of server power", Dimension::usd);
  o.cooling = f.band("cooling", "for each kW of server power", Dimension::usd);
  o.rack = f.band("rack", "for each kW of server power", Dimension::usd);
  o.network_share = f.number_band("network_share", "network over chips and servers", {0, 10});
  o.building = f.band("building", "for each kW of server power", Dimension::usd);
  o.building_lifetime = f.quantity<Seconds>("building_lifetime", "of the building");
  o.electricity = f.band("electricity", "price of energy", Dimension::usd_per_kilowatt_hour);
  o.pue = f.number_band("pue", "power of the site over its servers'", {1, 10});
  o.server_power = f.number_band("server_power", "power of a server over its chips'", {1, 10});
  o.failures = f.number_band("failures", "of a chip, a year", {0, 1000});
  o.repair = f.number_band("repair", "of a failure, as a share of the chip's price", {0, 10});
  o.repair_time =
      f.quantity<Seconds>("repair_time", "that a failed chip is away", Sign::non_negative);
  return o;
}

Prices read_fields(Fields& f) {
  Prices p;
  f.text("name", "name of the list");
  f.text_or("year", "that most prices are of", "");
  for (auto& [family, price] :
       f.maps_by_name("dram", "by family of memory part", read_dram_price)) {
    p.dram.emplace(family, price);
  }
  for (auto& [family, parts] :
       f.maps_by_name("stacks", "what an HBM stack is made of, by family", read_stack_parts)) {
    p.stacks.emplace(family, parts);
  }
  p.bad_stack = f.number_band("bad_stack", "share of stacks found bad after placing", {0, 0.5});
  p.design = f.band("design", "a design, without masks", Dimension::usd);
  p.port = f.number_band("port", "share of a design done again for a second foundry", kShare);
  p.ownership = f.map("ownership", "capital and bills around a chip", read_ownership);
  return p;
}

}  // namespace

Prices read_prices(const Node& root) {
  Sources sources;
  Prices prices = read_file(root, "prices", read_fields, &sources);
  prices.sources = std::move(sources);
  return prices;
}

Schema prices_schema() {
  return describe_file("prices", "a price list", read_fields);
}

Prices load_prices(const std::filesystem::path& home) {
  const std::filesystem::path file = home / "packages" / "prices.yaml";
  Prices prices = read_prices(read_document(file, Syntax::yaml, home));
  prices.file = file;
  return prices;
}

std::string source_text(const Sources& sources, std::string_view field) {
  const Provenance* source = source_of(sources, field);
  if (source == nullptr) return "";
  return fmt::format("{}: {}", to_string(source->confidence), source->reference);
}

}  // namespace presil

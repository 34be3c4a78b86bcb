#include "cost/prices.h"

#include <fmt/format.h>

#include "chip/describe.h"

namespace presil {
namespace {

Ownership read_ownership(Fields& f) {
  Ownership o;
  o.lifetime = f.quantity<Seconds>("lifetime", "that chip and server are written off over");
  o.utilisation = f.number("utilisation", "share of the time that the chip works", {0.001, 1});
  o.server = f.band("server", "around the chips, for each kW of their limit", Dimension::usd);
  o.network_share = f.number("network_share", "network over chips and servers", {0, 10});
  o.building = f.band("building", "for each kW of server power", Dimension::usd);
  o.building_lifetime = f.quantity<Seconds>("building_lifetime", "of the building");
  o.electricity = f.band("electricity", "price of energy", Dimension::usd_per_kilowatt_hour);
  o.pue = f.number("pue", "power of the site over its servers'", {1, 10});
  o.server_power = f.number("server_power", "power of a server over its chips'", {1, 10});
  return o;
}

Prices read_fields(Fields& f) {
  Prices p;
  f.text("name", "name of the list");
  f.text_or("year", "that most prices are of", "");
  for (auto& [family, price] : f.maps_by_name("dram", "by family of memory part", [](Fields& part) {
         return part.band("price", "of 1e9 bytes", Dimension::usd_per_gigabyte);
       })) {
    p.dram.emplace(family, price);
  }
  p.design = f.band("design", "a design, without masks", Dimension::usd);
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

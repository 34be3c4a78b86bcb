#include "explore/cost_json.h"

#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace presil {
namespace {

Json or_null(const std::optional<double>& value) {
  return value ? Json(*value) : Json(nullptr);
}

constexpr double kSecondsADay = 86400;

Json house_json(const HouseBill& bill) {
  return {{"name", bill.name},
          {"node", bill.node},
          {"package", bill.package},
          {"lines", lines_json(bill.lines)},
          {"usd_per_chip", band_json(bill.usd_per_chip)},
          {"lead_time_s", bill.lead_time.count()},
          {"power_w", bill.watts.count()}};
}

Json area_json(const AreaParts& area) {
  return {{"logic", area.logic.count()},
          {"sram", area.sram.count()},
          {"fixed", area.fixed.count()},
          {"total", area.total().count()}};
}

}  // namespace

Json year_json(const YearBill& year) {
  return {{"lines", lines_json(year.lines)},
          {"depreciation", band_json(year.depreciation)},
          {"running", band_json(year.running)},
          {"total", band_json(year.total)}};
}

Json port_json(const Port& port) {
  return {{"from", port.from},
          {"to", port.to},
          {"die_area_mm2", {{"from", area_json(port.area_from)}, {"to", area_json(port.area_to)}}},
          {"energy_ratio", port.energy},
          {"power_w", {{"from", port.limit_from.count()}, {"to", port.limit_to.count()}}}};
}

Json break_even_json(const BreakEven& line) {
  Json curve = Json::array();
  for (const BreakEvenPoint& p : line.curve) {
    curve.push_back({{"defect_density_per_cm2", p.defect_density},
                     {"wafer_usd", or_null(p.wafer_usd)},
                     {"wafer_usd_owned", or_null(p.wafer_usd_owned)}});
  }
  return {{"node", line.node},
          {"against", line.against},
          {"defect_density_per_cm2", or_null(line.defect_density)},
          {"wafer_usd", or_null(line.wafer_usd)},
          {"curve", std::move(curve)}};
}

Json monte_carlo_json(const MonteCarlo& s) {
  return {{"samples", s.samples}, {"p10", s.p10}, {"p50", s.p50}, {"p90", s.p90}, {"mean", s.mean}};
}

Json tornado_json(const std::vector<Swing>& swings) {
  Json list = Json::array();
  for (const Swing& s : swings) {
    list.push_back({{"name", s.name},
                    {"low", s.low},
                    {"high", s.high},
                    {"usd_low", s.usd_low},
                    {"usd_high", s.usd_high},
                    {"source", s.source}});
  }
  return list;
}

Json foundries_json(const FoundriesResult& r) {
  Json points = Json::array();
  for (const FoundryPoint& p : r.points) {
    points.push_back({{"share", p.share},
                      {"usd_per_chip", band_json(p.usd_per_chip)},
                      {"watts", p.watts.count()},
                      {"wafers", {{r.first, p.first_wafers}, {r.second, p.second_wafers}}},
                      {"stacks", p.stacks}});
  }
  return {{"chip", r.spec.chip},
          {"first", r.first},
          {"second", r.second},
          {"volume", r.spec.volume},
          {"points", std::move(points)},
          {"moved", port_json(r.port)},
          {"break_even", break_even_json(r.break_even)}};
}

Json buy_or_build_json(const BuyOrBuildResult& r) {
  Json points = Json::array();
  for (const BuyOrBuildPoint& p : r.points) {
    points.push_back(
        {{"volume", p.volume}, {"own", band_json(p.own)}, {"bought", band_json(p.bought)}});
  }
  return {{"points", std::move(points)},
          {"crossing",
           {{"low", or_null(r.crossing_low)},
            {"typical", or_null(r.crossing)},
            {"high", or_null(r.crossing_high)}}},
          {"mtokens_per_chip", r.mtokens_per_chip},
          {"bought_per_own", r.bought_per_own},
          {"once_usd", band_json(r.once)},
          {"own_usd_per_chip", band_json(r.own_each)},
          {"bought_usd_per_chip", band_json(r.bought_each)}};
}

Json supply_json(const SupplyResult& r) {
  Json dates = Json::array();
  for (const SupplyPoint& p : r.by_date) {
    const double days = p.date.count() / kSecondsADay;
    dates.push_back({{"date", fmt::format("day {:.0f}", days)},
                     {"date_d", days},
                     {"deliverable", std::floor(p.deliverable)},
                     {"bound_by", p.bound_by},
                     {"missing_usd", p.missing_usd}});
  }
  Json all = nullptr;
  if (r.all) all = {{"date_d", r.all->count() / kSecondsADay}, {"bound_by", r.all_bound_by}};
  return {{"by_date", std::move(dates)},
          {"wafers_per_chip", r.wafers_per_chip},
          {"stacks_per_chip", r.stacks_per_chip},
          {"interposers_per_chip", r.interposers_per_chip},
          {"all", std::move(all)}};
}

Json houses_json(const HousesResult& r) {
  return {{"one", house_json(r.one)}, {"three", house_json(r.three)}};
}

Json cost_json(const CostAnswer& a) {
  const ChipFiles& files = a.chip.files;
  Json j = {{"chip", files.chip.name},
            {"node", files.node.name},
            {"package", files.package.name},
            {"volume", a.request.volume},
            {"lines", lines_json(a.price.lines)},
            {"usd_per_chip", band_json(a.price.usd_per_chip)},
            {"dies_per_wafer", a.price.dies_per_wafer},
            {"yield", a.price.yield},
            {"package_yield", a.price.package_yield},
            {"wafers", a.price.wafers},
            {"stacks", a.price.stacks},
            {"stacks_used", a.price.stacks_used},
            {"interposers", a.price.interposers},
            {"die_area_mm2", files.chip.die.area.count()},
            {"power_w", files.chip.power.limit.count()},
            {"year", year_json(a.year)}};
  j["year"]["mean_power_w"] = a.mean_power.count();
  j["year"]["at_market_price"] = files.chip.price.has_value();
  if (a.chip.port.from != a.chip.port.to) j["moved"] = port_json(a.chip.port);
  if (a.break_even) j["break_even"] = break_even_json(*a.break_even);
  if (a.monte_carlo) j["monte_carlo"] = monte_carlo_json(*a.monte_carlo);
  if (!a.tornado.empty()) j["tornado"] = tornado_json(a.tornado);
  return j;
}

}  // namespace presil

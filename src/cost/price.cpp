#include "cost/price.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "chip/dram_shape.h"

namespace presil {
namespace {

constexpr double kNoDieWorks = 1e9;  // USD for one die: a yield of practically nothing

/// A line's `source`: how it is computed, and where the price in it is from.
std::string explain(const std::string& formula, const Sources& sources, const std::string& field) {
  return fmt::format("{}; {}", formula, source_text(sources, field));
}

/// Placed on the package or beside it; none without DRAM.
std::int64_t stacks_of(const Chip& chip) {
  return chip.dram.is_on_chip() ? 0 : chip.dram.stacks;
}

SquareMillimetres interposer_area(const ChipFiles& files, const Interposer& interposer) {
  if (files.chip.package.interposer) return *files.chip.package.interposer;
  const SquareMillimetres dies = files.chip.die.area * static_cast<double>(files.chip.die.count);
  const SquareMillimetres stacks =
      interposer.stack_area * static_cast<double>(stacks_of(files.chip));
  return (dies + stacks) * interposer.spacing;
}

CostLine dram_line(const ChipFiles& files, const Prices& prices) {
  if (files.chip.dram.is_on_chip()) return {"dram", {}, "none: weights are kept in the die's SRAM"};
  const std::string& family = files.memory.family;
  const auto price = prices.dram.find(family);
  if (price == prices.dram.end()) {
    throw InputError(fmt::format("{}: dram.{}: no price for this family, that of {}",
                                 prices.file.string(), family, files.memory.name));
  }
  const auto bytes = static_cast<double>(dram_capacity(files.memory, files.chip.dram).count());
  return {"dram", price->second * (bytes / 1e9),
          explain(fmt::format("{} x {}, {:.1f} GB", files.chip.dram.stacks, files.memory.name,
                              bytes / 1e9),
                  prices.sources, "dram." + family)};
}

CostLine interposer_line(const ChipFiles& files, const Interposer& interposer) {
  const SquareMillimetres area = interposer_area(files, interposer);
  const double fit = std::floor(dies_per_wafer(area, interposer.wafer_diameter));
  if (area > interposer.max_area || fit < 1) {
    throw InputError(fmt::format("{}: an interposer of {} is needed, and {} makes at most {}",
                                 files.chip.name, to_string(area), files.package.name,
                                 to_string(interposer.max_area)));
  }
  const auto cost = [&](double wafer, double defects) {
    return wafer / fit / perfect_yield(YieldModel::poisson, area, defects, 1);
  };
  return {"interposer",
          {cost(interposer.wafer_price.low, interposer.defect_density.low),
           cost(interposer.wafer_price.typical, interposer.defect_density.typical),
           cost(interposer.wafer_price.high, interposer.defect_density.high)},
          explain(fmt::format("{}, {:.0f} a wafer", to_string(area), fit), files.package.sources,
                  "interposer.wafer_price")};
}

}  // namespace

ChipPrice price_chip(const ChipFiles& files, const Prices& prices, const PriceOptions& options) {
  const Die& die = files.chip.die;
  const ProcessNode& node = files.node;
  const PackageKind& package = files.package;
  ChipPrice price;
  price.stacks = stacks_of(files.chip);
  price.dies_per_wafer = gross_dies(die.area, node);
  if (price.dies_per_wafer < 1) {
    throw InputError(fmt::format("{}: no die of {} fits a wafer of {}", files.chip.name,
                                 to_string(die.area), to_string(node.wafer_diameter)));
  }
  price.yield =
      sellable_yield(options.yield_model, die, node.defect_density.typical, node.cluster_alpha);

  std::vector<CostLine>& lines = price.lines;
  lines.push_back({"die",
                   good_die_cost(options.yield_model, die, node) * static_cast<double>(die.count),
                   explain(fmt::format("{} x {} on {}, {} a wafer, {:.1f} % sold ({})", die.count,
                                       to_string(die.area), node.name, price.dies_per_wafer,
                                       100 * price.yield, to_string(options.yield_model)),
                           node.sources, "wafer_price")});
  if (!(lines.front().usd.high < kNoDieWorks)) {
    throw InputError(fmt::format("{}: with {:g} defects per cm2 no die of {} works", node.name,
                                 node.defect_density.high, to_string(die.area)));
  }
  const bool on_package = package.interposer.has_value();  // LPDDR sits beside the package
  const CostLine dram = dram_line(files, prices);
  if (on_package) {
    lines.push_back(dram);
    lines.push_back(interposer_line(files, *package.interposer));
  }
  lines.push_back(
      {"substrate", package.substrate, explain(package.name, package.sources, "substrate")});
  const std::int64_t placed = die.count + (on_package ? stacks_of(files.chip) : 0);
  lines.push_back({"attach", package.attach * static_cast<double>(placed),
                   explain(fmt::format("{} parts placed", placed), package.sources, "attach")});

  // A part that is placed badly loses everything placed so far.
  price.package_yield = std::pow(package.attach_yield, static_cast<double>(placed));
  Band assembled;
  for (const CostLine& line : lines) assembled += line.usd;
  lines.push_back({"assembly loss", assembled * (1 / price.package_yield - 1),
                   explain(fmt::format("{:g} a part, {} parts", package.attach_yield, placed),
                           package.sources, "attach_yield")});
  lines.push_back({"test", package.test, explain(package.name, package.sources, "test")});
  if (!on_package) lines.push_back(dram);
  if (options.volume > 0) {
    const double share = 1 / static_cast<double>(options.volume);
    const std::string over = fmt::format("over {} chips", options.volume);
    lines.push_back({"masks", node.mask_set * share, explain(over, node.sources, "mask_set")});
    lines.push_back({"design", prices.design * share, explain(over, prices.sources, "design")});
  }

  for (const CostLine& line : lines) price.usd_per_chip += line.usd;
  if (!(price.usd_per_chip.high < kNoDieWorks)) {
    throw InputError(fmt::format(
        "{}: a chip would cost over {:g} USD: practically none survives its interposer ({}: "
        "interposer.defect_density) and the placing of {} parts (attach_yield)",
        files.chip.name, kNoDieWorks, package.name, placed));
  }
  const double dies_started =
      static_cast<double>(std::max<std::int64_t>(1, options.volume) * die.count) / price.yield /
      price.package_yield;
  price.wafers = dies_started / static_cast<double>(price.dies_per_wafer);
  return price;
}

}  // namespace presil

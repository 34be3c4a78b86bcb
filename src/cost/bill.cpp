#include "cost/bill.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "chip/dram_shape.h"
#include "cost/stack.h"

namespace presil {
namespace {

constexpr double kNoDieWorks = 1e9;  // USD for one die: a yield of practically nothing
constexpr double kGrid = 1 << 20;

/// The bill as it grows. Each step adds lines; what is lost is lost on the lines so far.
class Writer {
 public:
  Writer(const CostInputs& inputs, const PriceOptions& options, Explained explained)
      : in_(inputs), options_(options), explained_(explained == Explained::yes) {}

  Bill write();

 private:
  void add_dies();
  void add_towers();
  void add_dram();
  void add_interposer();
  void add_assembly();
  void add_design();
  void refuse_what_never_works() const;

  template <class Formula>
  void add(const std::string& name, double usd, const Sources& sources, std::string_view field,
           Formula formula) {
    const double rounded = on_grid(usd);
    std::string source;
    if (explained_) {
      const std::string from = source_text(sources, field);
      source = from.empty() ? formula() : fmt::format("{}; {}", formula(), from);
    }
    bill_.lines.push_back({name, rounded, std::move(source)});
    bill_.usd += rounded;
  }

  bool has_dram() const { return !in_.chip.dram.is_on_chip(); }
  bool dram_is_placed() const { return has_dram() && in_.package.interposer.has_value(); }
  double bytes() const {
    return static_cast<double>(dram_capacity(in_.memory, in_.chip.dram).count());
  }

  const CostInputs& in_;
  const PriceOptions& options_;
  const bool explained_;
  Bill bill_;
};

void Writer::add_dies() {
  const Die die = etched_die(in_.chip.die, in_.package);
  const ProcessNode& node = in_.node;
  bill_.dies_per_wafer = gross_dies(die.area, node);
  if (bill_.dies_per_wafer < 1) {
    throw InputError(fmt::format("{}: no die of {} fits a wafer of {}", in_.chip.name,
                                 to_string(die.area), to_string(node.wafer_diameter)));
  }
  bill_.yield =
      sellable_yield(options_.yield_model, die, node.defect_density.typical, node.cluster_alpha);
  const double each =
      node.wafer_price.typical / static_cast<double>(bill_.dies_per_wafer) / bill_.yield;
  if (!(each < kNoDieWorks)) {
    throw InputError(fmt::format("{}: with {:g} defects per cm2 no die of {} works", node.name,
                                 node.defect_density.typical, to_string(die.area)));
  }
  add("die", each * static_cast<double>(die.count), node.sources, "wafer_price", [&] {
    return fmt::format("{} x {} on {}, {} a wafer, {:.1f} % sold ({})", die.count,
                       to_string(die.area), node.name, bill_.dies_per_wafer, 100 * bill_.yield,
                       to_string(options_.yield_model));
  });
}

void Writer::add_towers() {
  if (!in_.package.tower) return;
  const Tower& tower = *in_.package.tower;
  const auto towers = static_cast<double>(in_.chip.die.count);
  const auto bonds = static_cast<double>(tower.height - 1);  // of one tower
  const double yield = std::pow(tower.bond_yield.typical, bonds);
  const double vias =
      tower.via_wafer.typical / static_cast<double>(bill_.dies_per_wafer) / bill_.yield;
  add("3D bonding", towers * bonds * (tower.bond.typical + vias), in_.package.sources, "tower.bond",
      [&] {
        return fmt::format("{} x a tower of {} dies, vias in all but the top", in_.chip.die.count,
                           tower.height);
      });
  add("3D bonding loss", bill_.usd * (1 / yield - 1), in_.package.sources, "tower.bond_yield",
      [&] { return fmt::format("{:g} a bond", tower.bond_yield.typical); });
  bill_.tower_yield = yield;
}

void Writer::add_dram() {
  if (!has_dram()) {
    bill_.lines.push_back({"dram", 0, "none: weights are kept in the die's SRAM"});
    return;
  }
  const std::string& family = in_.memory.family;
  const Dram& dram = in_.chip.dram;
  if (has_quote(in_)) {
    add("dram", in_.prices.dram.at(family).per_gb.typical * (bytes() / 1e9), in_.prices.sources,
        "dram." + family, [&] {
          return fmt::format("{} x {}, {:.1f} GB", dram.stacks, in_.memory.name, bytes() / 1e9);
        });
    return;
  }
  const std::int64_t height = stack_height(in_.memory);
  const StackCost stack = stack_cost(in_.prices.stacks.at(family), height);
  add("dram", stack.price * static_cast<double>(dram.stacks), in_.prices.sources,
      "stacks." + family, [&] {
        return fmt::format(
            "{} x {}, built: {} dies {:.0f} USD, base {:.0f}, placing {:.0f}, "
            "{:.1f} % survive, test {:.0f}, margin {:.0f} %",
            dram.stacks, in_.memory.name, height, stack.dies, stack.base, stack.bonds,
            100 * stack.yield, stack.test, 100 * (1 - stack.cost / stack.price));
      });
}

void Writer::add_interposer() {
  if (!in_.package.interposer) return;
  const Interposer& interposer = *in_.package.interposer;
  SquareMillimetres area = in_.chip.package.interposer.value_or(SquareMillimetres(0));
  if (!in_.chip.package.interposer) {
    // A tower stands on its own footprint.
    const SquareMillimetres footprint =
        etched_die(in_.chip.die, in_.package).area * static_cast<double>(in_.chip.die.count);
    area = (footprint + interposer.stack_area * static_cast<double>(bill_.stacks)) *
           interposer.spacing;
  }
  const double fit = std::floor(dies_per_wafer(area, interposer.wafer_diameter));
  if (area > interposer.max_area || fit < 1) {
    throw InputError(fmt::format("{}: an interposer of {} is needed, and {} makes at most {}",
                                 in_.chip.name, to_string(area), in_.package.name,
                                 to_string(interposer.max_area)));
  }
  const double yield =
      perfect_yield(YieldModel::poisson, area, interposer.defect_density.typical, 1);
  add("interposer", interposer.wafer_price.typical / fit / yield, in_.package.sources,
      "interposer.wafer_price", [&] {
        return fmt::format("{}, {:.0f} a wafer, {:.1f} % good", to_string(area), fit, 100 * yield);
      });
}

void Writer::add_assembly() {
  const PackageKind& package = in_.package;
  add("substrate", package.substrate.typical, package.sources, "substrate",
      [&] { return package.name; });
  const std::int64_t placed = in_.chip.die.count + (dram_is_placed() ? bill_.stacks : 0);
  const auto parts = static_cast<double>(placed);
  add("attach", package.attach.typical * parts, package.sources, "attach",
      [&] { return fmt::format("{} parts placed", placed); });

  // A part that is placed badly loses everything placed so far, and so does a stack that proves
  // bad.
  const double assembled = bill_.usd;
  bill_.attach_yield = std::pow(package.attach_yield.typical, parts);
  add("assembly loss", assembled * (1 / bill_.attach_yield - 1), package.sources, "attach_yield",
      [&] { return fmt::format("{:g} a part, {} parts", package.attach_yield.typical, placed); });
  if (dram_is_placed()) {
    const double bad = in_.prices.bad_stack.typical;
    bill_.stack_yield = std::pow(1 - bad, static_cast<double>(bill_.stacks));
    add("bad stacks", assembled / bill_.attach_yield * (1 / bill_.stack_yield - 1),
        in_.prices.sources, "bad_stack",
        [&] { return fmt::format("{:g} of the stacks, {} stacks", bad, bill_.stacks); });
  }
  add("test", package.test.typical, package.sources, "test", [&] { return package.name; });
}

void Writer::add_design() {
  if (options_.volume <= 0) return;
  const auto chips = static_cast<double>(options_.volume);
  const auto over = [&] { return fmt::format("over {} chips", options_.volume); };
  add("masks", in_.node.mask_set.typical / chips, in_.node.sources, "mask_set", over);
  add("design", in_.prices.design.typical / chips, in_.prices.sources, "design", over);
}

void Writer::refuse_what_never_works() const {
  if (bill_.usd < kNoDieWorks) return;
  throw InputError(fmt::format(
      "{}: a chip would cost over {:g} USD: practically none survives its interposer ({}: "
      "interposer.defect_density) and the placing of its parts (attach_yield, bad_stack)",
      in_.chip.name, kNoDieWorks, in_.package.name));
}

Bill Writer::write() {
  bill_.stacks = has_dram() ? in_.chip.dram.stacks : 0;
  add_dies();
  add_towers();
  if (in_.package.interposer) {
    add_dram();
    add_interposer();
  }
  add_assembly();
  if (!in_.package.interposer) add_dram();  // beside the package, on the board
  add_design();
  refuse_what_never_works();

  const double chips_started = 1 / bill_.package_yield();
  const double dies = static_cast<double>(etched_die(in_.chip.die, in_.package).count);
  bill_.wafers = dies * chips_started / bill_.tower_yield / bill_.yield /
                 static_cast<double>(bill_.dies_per_wafer);
  bill_.stacks_used = static_cast<double>(bill_.stacks) * (dram_is_placed() ? chips_started : 1.0);
  bill_.interposers = in_.package.interposer ? chips_started : 0;
  return std::move(bill_);
}

}  // namespace

double on_grid(double usd) {
  return std::nearbyint(usd * kGrid) / kGrid;
}

Die etched_die(const Die& die, const PackageKind& package) {
  if (!package.tower) return die;
  const std::int64_t height = package.tower->height;
  Die part = die;
  part.count = die.count * height;
  part.area = die.area * ((1 + package.tower->via_share) / static_cast<double>(height));
  part.physical = std::max<std::int64_t>(1, die.physical / height);
  part.enabled = std::min(part.physical, (die.enabled + height - 1) / height);
  return part;
}

Bill bill_of(const CostInputs& inputs, const PriceOptions& options, Explained explained) {
  return Writer(inputs, options, explained).write();
}

}  // namespace presil

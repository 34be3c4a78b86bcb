#include "cost/cost_inputs.h"

#include <fmt/format.h>

namespace presil {
namespace {

constexpr bool kYield = true;
constexpr std::int64_t kDiesOfAStackId = 4;

/// Collects knobs of one file.
class Knobs {
 public:
  Knobs(std::vector<Knob>& all, std::string prefix, const Sources& sources)
      : all_(all), prefix_(std::move(prefix)), sources_(sources) {}

  void add(const std::string& field, Band& band, bool cheap_when_high = false) {
    all_.push_back({prefix_ + field, &band, cheap_when_high, source_text(sources_, field)});
  }

 private:
  std::vector<Knob>& all_;
  std::string prefix_;
  const Sources& sources_;
};

void add_stack_knobs(StackParts& s, const std::string& family, Knobs& prices) {
  const std::string group = "stacks." + family;
  prices.add(group + ".wafer_price", s.wafer_price);
  prices.add(group + ".die_yield", s.die_yield, kYield);
  prices.add(group + ".base_die", s.base_die);
  prices.add(group + ".bond", s.bond);
  prices.add(group + ".bond_yield", s.bond_yield, kYield);
  prices.add(group + ".test", s.test);
  prices.add(group + ".margin", s.margin);
}

}  // namespace

CostInputs cost_inputs(const ChipFiles& files, const Prices& prices) {
  return {files.chip, files.memory, files.node, files.package, prices};
}

double value_at(const Knob& knob, End end) {
  switch (end) {
    case End::low:
      return knob.cheap_when_high ? knob.band->high : knob.band->low;
    case End::typical:
      return knob.band->typical;
    case End::high:
      return knob.cheap_when_high ? knob.band->low : knob.band->high;
  }
  return 0;
}

void turn(const std::vector<Knob>& knobs, End end) {
  for (const Knob& knob : knobs) knob.band->typical = value_at(knob, end);
}

std::int64_t stack_height(const MemoryPart& part) {
  return kDiesOfAStackId * part.stack_ids;
}

bool has_quote(const CostInputs& in) {
  const std::string& family = in.memory.family;
  const auto price = in.prices.dram.find(family);
  const bool quoted = price != in.prices.dram.end();
  if (quoted && (price->second.tallest == 0 || stack_height(in.memory) <= price->second.tallest)) {
    return true;
  }
  if (in.prices.stacks.contains(family)) return false;
  throw InputError(
      quoted ? fmt::format("{}: stacks.{}: needed to price {}: it is {} dies high, and dram.{} was "
                           "quoted for at most {}",
                           in.prices.file.string(), family, in.memory.name, stack_height(in.memory),
                           family, price->second.tallest)
             : fmt::format("{}: dram.{}: no price for this family, that of {}",
                           in.prices.file.string(), family, in.memory.name));
}

std::vector<Knob> bill_knobs(CostInputs& in) {
  std::vector<Knob> all;
  Knobs node(all, "node.", in.node.sources);
  Knobs package(all, "package.", in.package.sources);
  Knobs prices(all, "prices.", in.prices.sources);
  node.add("wafer_price", in.node.wafer_price);
  node.add("defect_density", in.node.defect_density);
  if (!in.chip.dram.is_on_chip()) {
    const std::string& family = in.memory.family;
    if (has_quote(in)) {
      prices.add("dram." + family, in.prices.dram.at(family).per_gb);
    } else {
      add_stack_knobs(in.prices.stacks.at(family), family, prices);
    }
  }
  if (in.package.interposer) {
    package.add("interposer.wafer_price", in.package.interposer->wafer_price);
    package.add("interposer.defect_density", in.package.interposer->defect_density);
    if (!in.chip.dram.is_on_chip()) prices.add("bad_stack", in.prices.bad_stack);
  }
  if (in.package.tower) {
    package.add("tower.bond", in.package.tower->bond);
    package.add("tower.bond_yield", in.package.tower->bond_yield, kYield);
    package.add("tower.via_wafer", in.package.tower->via_wafer);
  }
  package.add("attach", in.package.attach);
  package.add("attach_yield", in.package.attach_yield, kYield);
  package.add("substrate", in.package.substrate);
  package.add("test", in.package.test);
  node.add("mask_set", in.node.mask_set);
  prices.add("design", in.prices.design);
  return all;
}

std::vector<Knob> ownership_knobs(Ownership& o, const Sources& sources) {
  std::vector<Knob> all;
  Knobs own(all, "", sources);
  own.add("ownership.utilisation", o.utilisation, kYield);
  own.add("ownership.board", o.board);
  own.add("ownership.host", o.host);
  own.add("ownership.power_delivery", o.power_delivery);
  own.add("ownership.cooling", o.cooling);
  own.add("ownership.rack", o.rack);
  own.add("ownership.network_share", o.network_share);
  own.add("ownership.building", o.building);
  own.add("ownership.electricity", o.electricity);
  own.add("ownership.pue", o.pue);
  own.add("ownership.server_power", o.server_power);
  own.add("ownership.failures", o.failures);
  own.add("ownership.repair", o.repair);
  return all;
}

}  // namespace presil

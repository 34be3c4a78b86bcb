#include "cost/plan/supply.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "cost/ownership.h"

namespace presil {
namespace {

constexpr std::int64_t kMostDates = 1000;
const Seconds kFarAway = kYear * 100;

struct Part {
  std::string name;
  Ceiling ceiling;
  double per_chip = 0;
};

std::optional<Ceiling> read_ceiling(Fields& f, std::string_view name, std::string_view doc) {
  return f.maybe_map(name, doc, [](Fields& inner) {
    Ceiling c;
    c.per_year = inner.number("per_year", "pieces, at full rate", {1e-3, 1e12});
    c.lead = inner.quantity_or<Seconds>("lead", "from order to first piece", Seconds(0));
    c.ramp = inner.quantity_or<Seconds>("ramp", "from first piece to full rate", Seconds(0));
    return c;
  });
}

/// Pieces delivered `since` the order.
double delivered(const Ceiling& c, Seconds since) {
  const double t = (since - c.lead) / kYear;
  if (t <= 0) return 0;
  const double ramp = c.ramp / kYear;
  return t < ramp ? c.per_year * t * t / (2 * ramp) : c.per_year * (t - ramp / 2);
}

struct Answer {
  double chips = std::numeric_limits<double>::infinity();
  std::string bound_by;
};

Answer chips_by(const std::vector<Part>& parts, Seconds date, const SupplySpec& spec) {
  Answer least;
  for (const Part& part : parts) {
    const double chips = delivered(part.ceiling, date - spec.assembly) / part.per_chip;
    if (chips < least.chips) least = {chips, part.name};
  }
  if (spec.wanted > 0 && spec.wanted <= least.chips) return {spec.wanted, "wanted"};
  return least;
}

std::vector<Part> parts_of(const SupplySpec& spec, const ChipFiles& files,
                           const SupplyResult& needs) {
  std::vector<Part> parts;
  const auto add = [&](const std::string& name, const std::optional<Ceiling>& ceiling,
                       double per_chip) {
    if (!ceiling) return;
    if (per_chip <= 0) {
      throw InputError(fmt::format("supply.{}: {} needs none", name, files.chip.name));
    }
    parts.push_back({name, *ceiling, per_chip});
  };
  add("wafers", spec.wafers, needs.wafers_per_chip);
  add("stacks", spec.stacks, needs.stacks_per_chip);
  add("interposers", spec.interposers, needs.interposers_per_chip);
  if (parts.empty()) throw InputError("supply: expected wafers, stacks or interposers");
  for (Part& part : parts) {
    if (part.name == "wafers" && part.ceiling.lead == Seconds(0) && files.node.cycle_time) {
      part.ceiling.lead = *files.node.cycle_time;
    }
  }
  return parts;
}

}  // namespace

SupplySpec read_supply(Fields& f) {
  SupplySpec s;
  s.chip = f.text("chip", "a chip file or name");
  s.wanted = f.number_or("wanted", "chips; 0: as many as there are", 0, {0, 1e10});
  s.wafers = read_ceiling(f, "wafers", "of the chip's node; lead: the node's cycle time");
  s.stacks = read_ceiling(f, "stacks", "of DRAM");
  s.interposers = read_ceiling(f, "interposers", "pieces");
  s.assembly =
      f.quantity_or<Seconds>("assembly", "from the last part to a tested chip", Seconds(0));
  s.every = f.quantity_or<Seconds>("every", "between dates", Seconds(30 * 86400.0));
  s.until = f.quantity_or<Seconds>("until", "the last date", Seconds(2 * 365 * 86400.0));
  s.instead = f.text_or("instead", "a chip with a market price, for those missing", "");
  f.require(s.every.count() > 0 && s.until / s.every <= kMostDates, "every",
            fmt::format("expected at most {} dates until the last", kMostDates));
  return s;
}

SupplyResult plan_supply(const SupplySpec& spec, const ChipFiles& files, const Prices& prices,
                         const std::filesystem::path& home) {
  const ChipPrice price = price_chip(files, prices);
  SupplyResult result;
  result.wafers_per_chip = price.wafers;
  result.stacks_per_chip = price.stacks_used;
  result.interposers_per_chip = price.interposers;
  const std::vector<Part> parts = parts_of(spec, files, result);

  double premium = 0;  // of buying one instead
  if (!spec.instead.empty()) {
    const Chip other = load_chip(spec.instead, {}, home).chip;
    if (!other.price) throw InputError(fmt::format("{}: price: needed to buy it", other.name));
    premium = other.price->typical - price.usd_per_chip.typical;
  }
  const auto dates = static_cast<std::int64_t>(spec.until / spec.every);
  for (std::int64_t i = 1; i <= dates; ++i) {
    const Seconds date = spec.every * static_cast<double>(i);
    const Answer answer = chips_by(parts, date, spec);
    const double missing = spec.wanted > 0 ? spec.wanted - answer.chips : 0;
    result.by_date.push_back({date, answer.chips, answer.bound_by, missing * premium});
  }
  if (spec.wanted > 0 && chips_by(parts, kFarAway, spec).bound_by == "wanted") {
    Seconds early(0), late = kFarAway;
    while ((late - early).count() > 1) {
      const Seconds middle = (early + late) / 2.0;
      (chips_by(parts, middle, spec).bound_by == "wanted" ? late : early) = middle;
    }
    result.all = late;
    result.all_bound_by = chips_by(parts, early, spec).bound_by;
  }
  return result;
}

}  // namespace presil

#include "cost/plan/foundries.h"

namespace presil {
FoundriesSpec read_foundries(Fields& f) {
  FoundriesSpec s;
  s.chip = f.text("chip", "a chip file or name; its node is the first foundry's");
  s.second = f.map("second", "the other foundry", [](Fields& second) {
    PortTo to;
    to.node = second.text("node", "a file in nodes/");
    to.package = second.text_or("package", "a file in packages/; the chip's own when absent", "");
    return to;
  });
  s.volume = f.integer("volume", "chips of both together", {1, 1e9});
  s.points = f.integer_or("points", "shares from 0 to 1", 11, {2, 1001});
  return s;
}

FoundriesResult compare_foundries(const FoundriesSpec& spec,
                                  const std::vector<std::string>& overrides, const Prices& prices,
                                  const std::filesystem::path& home) {
  const PortedChip moved = load_ported(spec.chip, overrides, home, spec.second);
  std::vector<std::string> of_first = overrides;
  std::erase_if(of_first, [](const std::string& o) { return o.starts_with("node."); });
  const CostInputs first = cost_inputs(load_ported(spec.chip, of_first, home, {}).files, prices);
  const CostInputs second = cost_inputs(moved.files, prices);
  const ChipPrice at_first = price_chip(first);
  const ChipPrice at_second = price_chip(second);

  FoundriesResult result;
  result.spec = spec;
  result.first = first.node.name;
  result.second = second.node.name;
  result.port = moved.port;
  result.break_even = break_even(second, first);
  const auto volume = static_cast<double>(spec.volume);
  for (std::int64_t i = 0; i < spec.points; ++i) {
    const double share = static_cast<double>(i) / static_cast<double>(spec.points - 1);
    FoundryPoint p;
    p.share = share;
    Band once = prices.design;
    if (i < spec.points - 1) once += first.node.mask_set;
    if (i > 0) once += second.node.mask_set;
    if (i > 0 && i < spec.points - 1) once += prices.design * prices.port;
    p.usd_per_chip =
        at_first.usd_per_chip * (1 - share) + at_second.usd_per_chip * share + once * (1 / volume);
    p.watts = first.chip.power.limit * (1 - share) + second.chip.power.limit * share;
    p.first_wafers = at_first.wafers * volume * (1 - share);
    p.second_wafers = at_second.wafers * volume * share;
    p.stacks = volume * (at_first.stacks_used * (1 - share) + at_second.stacks_used * share);
    result.points.push_back(p);
  }
  return result;
}

}  // namespace presil

#include "explore/cost_request.h"

namespace presil {
namespace {

/// The line on which the node that nobody publishes numbers of costs as much as the other; of two
/// such nodes, the one moved to.
BreakEven break_even_of(const CostAnswer& answer, const std::vector<std::string>& overrides,
                        const std::filesystem::path& home, const CostInputs& moved,
                        const PriceOptions& options) {
  std::vector<std::string> of_origin = overrides;
  std::erase_if(of_origin, [](const std::string& o) { return o.starts_with("node."); });
  const PortTo stay{"", answer.request.to.package};
  const CostInputs origin =
      cost_inputs(load_ported(answer.request.chip, of_origin, home, stay).files, moved.prices);
  if (is_published(moved.node) && !is_published(origin.node)) {
    return break_even(origin, moved, options);
  }
  return break_even(moved, origin, options);
}

}  // namespace

CostAnswer answer_cost(const CostRequest& request, const std::vector<std::string>& overrides,
                       const std::filesystem::path& home) {
  CostAnswer answer;
  answer.request = request;
  answer.chip = load_ported(request.chip, overrides, home, request.to);
  const CostInputs inputs = cost_inputs(answer.chip.files, load_prices(home));
  const PriceOptions options{.volume = request.volume};
  answer.price = price_chip(inputs, options);

  const Power& power = inputs.chip.power;
  const double works = inputs.prices.ownership.utilisation.typical;
  answer.mean_power = power.limit * works + power.idle * (1 - works);
  answer.year = chip_year(inputs.chip, inputs.chip.price.value_or(answer.price.usd_per_chip),
                          answer.mean_power, inputs.prices);

  const CostScene scene{inputs, options, {}};
  if (request.samples > 0) {
    answer.monte_carlo = monte_carlo(scene, request.samples, request.seed);
  }
  if (request.tornado) answer.tornado = tornado(scene);
  if (answer.chip.port.from != answer.chip.port.to) {
    answer.break_even = break_even_of(answer, overrides, home, inputs, options);
  }
  return answer;
}

}  // namespace presil

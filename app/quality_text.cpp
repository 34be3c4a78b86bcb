#include "app/quality_text.h"

#include <fmt/format.h>

#include "report/table.h"
#include "report/text_width.h"

namespace presil::app {

std::string quality_text(const Quality& quality, bool colour) {
  const Comparison& c = quality.comparison;
  std::string text = fmt::format(
      "quality  over {} tokens, against {}: mean KL {:.3g} nats (at most {:.3g}, after token {}), "
      "top-1 {:.1f} %, perplexity {:.2f} ({:.2f})\n",
      quality.tokens, quality.compared_with, c.mean_kl, c.max_kl, c.max_kl_position,
      100 * c.top1_agreement, c.perplexity, c.reference_perplexity);
  if (c.first_difference) {
    text += fmt::format("differs  first after '{}': '{}', {} writes '{}'\n",
                        printable(quality.after), printable(quality.text), quality.compared_with,
                        printable(quality.reference_text));
  }
  if (quality.layers.empty()) return text;
  Table table({{"layer", Align::right}, {"relative error of the residual stream", Align::right}});
  for (const LayerError& layer : quality.layers) {
    table.add({fmt::format("{}", layer.layer), fmt::format("{:.3g}", layer.relative)});
  }
  return text + table.render(colour);
}

}  // namespace presil::app

#include "values/generate.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "program/bind.h"

namespace presil {

GeneratedToken judge(std::span<const float> logits, int token) {
  const double first = logits[static_cast<std::size_t>(token)];
  double sum = 0;
  double second = -std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < logits.size(); ++i) {
    sum += std::exp(logits[i] - first);
    if (i != static_cast<std::size_t>(token)) second = std::max<double>(second, logits[i]);
  }
  return {token, 1 / sum, (1 - std::exp(second - first)) / sum};
}

Feasible<std::vector<GeneratedToken>> generate(
    const Program& program, Session& session, std::span<const int> prompt,
    const GenerateOptions& options, const std::function<void(const GeneratedToken&)>& on_token) {
  std::vector<GeneratedToken> generated;
  std::vector<std::vector<int>> new_tokens = {{prompt.begin(), prompt.end()}};
  if (options.sampler != nullptr) options.sampler->note(prompt);
  while (std::ssize(generated) < options.max_tokens) {
    const std::int64_t context = session.context(0);
    if (context >= program.max_context) break;
    const Step step{{Sequence{std::ssize(new_tokens[0]), context}}};
    const auto bound = bind(program, step);
    if (!bound) return tl::unexpected(bound.error());
    const std::vector<float> logits = session.run(*bound, new_tokens);
    const int token =
        options.sampler != nullptr ? options.sampler->choose(logits) : session.chosen().front();
    generated.push_back(judge(logits, token));
    if (on_token) on_token(generated.back());
    const auto& stops = options.stop_tokens;
    if (std::find(stops.begin(), stops.end(), token) != stops.end()) break;
    if (options.stop && options.stop()) break;
    new_tokens = {{token}};
    if (options.sampler != nullptr) options.sampler->note(new_tokens[0]);
  }
  return generated;
}

}  // namespace presil

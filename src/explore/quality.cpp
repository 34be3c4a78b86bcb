#include "explore/quality.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/document.h"
#include "base/progress.h"
#include "base/utf8.h"
#include "explore/calibrated.h"

namespace presil {
namespace {

/// Squares summed over all positions, layer by layer.
class LayerErrors {
 public:
  void add(std::span<const std::vector<float>> residuals,
           std::span<const std::vector<float>> reference) {
    CHECK(residuals.size() == reference.size(), "both programs are of one model");
    sums_.resize(reference.size());
    for (std::size_t layer = 0; layer < reference.size(); ++layer) {
      for (std::size_t i = 0; i < reference[layer].size(); ++i) {
        const double wanted = reference[layer][i];
        const double difference = residuals[layer][i] - wanted;
        sums_[layer].difference += difference * difference;
        sums_[layer].reference += wanted * wanted;
      }
    }
  }

  std::vector<LayerError> result() const {
    std::vector<LayerError> errors;
    for (const Sums& s : sums_) {
      const double relative = s.reference > 0 ? std::sqrt(s.difference / s.reference) : 0;
      errors.push_back({std::ssize(errors), relative});
    }
    return errors;
  }

 private:
  struct Sums {
    double difference = 0, reference = 0;
  };
  std::vector<Sums> sums_;
};

/// What was written where the two part, and the end of the text before it.
void quote_difference(Quality& quality, const Tokenizer& tokenizer, std::span<const int> tokens) {
  if (!quality.comparison.first_difference) return;
  constexpr std::size_t kQuoted = 12;
  const FirstDifference& d = *quality.comparison.first_difference;
  const std::span<const int> before = tokens.first(static_cast<std::size_t>(d.position));
  quality.after = tokenizer.decode(before.last(std::min(kQuoted, before.size())));
  quality.text = tokenizer.decode(std::span(&d.token, 1));
  quality.reference_text = tokenizer.decode(std::span(&d.reference_token, 1));
}

}  // namespace

Reading::Reading(const Program& program, const Weights& weights, const Calibration& calibration,
                 bool keep_layers)
    : program_(program), session_(program, weights, [&] {
        SessionOptions options;
        options.calibration = &calibration;
        if (keep_layers) {
          options.after_layer = [this](std::int64_t, std::span<const float> residual) {
            residuals_.emplace_back(residual.begin(), residual.end());
          };
        }
        return options;
      }()) {}

Feasible<std::vector<float>> Reading::next(std::span<const int> tokens) {
  residuals_.clear();
  const auto bound = bind(program_, {{{std::ssize(tokens), session_.context(0)}}});
  if (!bound) return tl::unexpected(bound.error());
  return session_.run(*bound, std::vector<std::vector<int>>{{tokens.begin(), tokens.end()}},
                      LogitsOf::all);
}

void add_chunk(Comparer& comparer, std::span<const float> logits, std::span<const float> reference,
               std::span<const int> next_tokens, std::size_t rows) {
  const std::size_t width = logits.size() / rows;
  for (std::size_t i = 0; i < rows; ++i) {
    comparer.add(logits.subspan(i * width, width), reference.subspan(i * width, width),
                 i < next_tokens.size() ? next_tokens[i] : -1);
  }
}

Feasible<Quality> compare_on(const Program& candidate, const Program& reference,
                             const Weights& weights, std::span<const int> tokens, bool layers,
                             const std::filesystem::path& home) {
  const Calibration my_calibration = calibration_for(candidate, weights, home);
  const Calibration their_calibration = calibration_for(reference, weights, home);
  Reading mine(candidate, weights, my_calibration, layers);
  Reading theirs(reference, weights, their_calibration, layers);
  Comparer comparer;
  LayerErrors errors;
  Progress progress("tokens compared", std::ssize(tokens));
  for (std::size_t at = 0; at < tokens.size(); at += kChunk) {
    const auto chunk = tokens.subspan(at, std::min(kChunk, tokens.size() - at));
    const auto expected = theirs.next(chunk);
    if (!expected) return tl::unexpected(expected.error());
    const auto logits = mine.next(chunk);
    if (!logits) return tl::unexpected(logits.error());
    add_chunk(comparer, *logits, *expected, tokens.subspan(at + 1), chunk.size());
    if (layers) errors.add(mine.residuals(), theirs.residuals());
    progress.advance(std::ssize(chunk));
  }
  Quality quality;
  quality.compared_with = reference.numerics.name;
  quality.tokens = std::ssize(tokens);
  quality.comparison = comparer.result();
  quality.layers = errors.result();
  quote_difference(quality, tokenizer_of(weights), tokens);
  return quality;
}

std::vector<int> read_tokens(const Tokenizer& tokenizer, const std::filesystem::path& path,
                             std::int64_t limit, std::int64_t max_context) {
  constexpr std::size_t kLargestText = std::size_t{16} << 20;
  const std::string text = read_text(path, kLargestText);
  for (std::size_t at = 0; at < text.size();) {
    const Utf8Head head = utf8_head(std::string_view(text).substr(at));
    if (head.state != Utf8::whole) {
      throw InputError(fmt::format("{}: expected UTF-8, found byte 0x{:02x} as its number {}",
                                   path.string(), static_cast<unsigned char>(text[at]), at + 1));
    }
    at += head.length;
  }
  std::vector<int> tokens = tokenizer.encode_prompt(text, false);
  if (tokens.size() < 2) {
    throw InputError(fmt::format("{}: expected a text of two tokens or more, found {}",
                                 path.string(), tokens.size()));
  }
  const std::int64_t wanted = limit > 0 ? std::min(limit, max_context) : max_context;
  if (std::ssize(tokens) > wanted) tokens.resize(static_cast<std::size_t>(wanted));
  return tokens;
}

}  // namespace presil

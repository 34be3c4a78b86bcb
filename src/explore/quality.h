// What an arithmetic costs in truth: a candidate and a reference read the same text, token by token
// as it stands, and their answers are compared at every position, or their residual streams after
// every layer.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "model/tokenizer.h"
#include "values/compare.h"
#include "values/session.h"

namespace presil {

/// What `presil run` compares, and on what.
struct CompareRequest {
  std::string with;            // the reference's numerics; "": nothing is compared
  std::filesystem::path text;  // "": the prompt and what was generated
  std::int64_t tokens = 0;     // of the text, at most; 0: as many as the model's context holds
  bool layers = false;
};

struct LayerError {
  std::int64_t layer = 0;
  double relative = 0;  // ||candidate - reference|| / ||reference|| of the residual stream after it
};

struct Quality {
  std::string compared_with;
  std::int64_t tokens = 0;  // read
  Comparison comparison;
  // Of first_difference: the text before it (its end), and what the two would write.
  std::string after, text, reference_text;
  std::vector<LayerError> layers;  // when asked for
};

/// A text on its way through one program, chunk by chunk.
class Reading {
 public:
  /// Keeps references to all. With `keep_layers` the residual streams of the last chunk are kept.
  Reading(const Program& program, const Weights& weights, const Calibration& calibration,
          bool keep_layers = false);

  /// The logits after each of `tokens`, which follow on those read before: (tokens, vocabulary).
  /// Throws as Session::run does.
  Feasible<std::vector<float>> next(std::span<const int> tokens);

  /// By layer, of the last chunk: (tokens, d_model).
  std::span<const std::vector<float>> residuals() const { return residuals_; }

 private:
  const Program& program_;
  std::vector<std::vector<float>> residuals_;
  Session session_;
};

/// DRAM that holds anything, for programs that are run for their values alone.
inline constexpr Bytes kAnyCapacity{std::int64_t{1} << 60};

/// New tokens of a step in which a text is read.
inline constexpr std::size_t kChunk = 64;

/// Adds the `rows` positions of one chunk; `next_tokens` are the text's, from the second of them
/// on.
void add_chunk(Comparer& comparer, std::span<const float> logits, std::span<const float> reference,
               std::span<const int> next_tokens, std::size_t rows);

/// Reads `tokens` with both programs, of the same model. Throws as Session::run does.
Feasible<Quality> compare_on(const Program& candidate, const Program& reference,
                             const Weights& weights, std::span<const int> tokens, bool layers,
                             const std::filesystem::path& home);

/// The tokens of a text file, with the BOS where the model wants one, cut to `limit` (0: none) and
/// to the model's context. Throws MissingInput without the file, InputError for one that is not
/// UTF-8, is over 16 MiB, or holds fewer than two tokens.
std::vector<int> read_tokens(const Tokenizer& tokenizer, const std::filesystem::path& text,
                             std::int64_t limit, std::int64_t max_context);

}  // namespace presil

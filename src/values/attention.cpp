#include "values/attention.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <tbb/blocked_range.h>
#include <tbb/parallel_for.h>

#include "base/window.h"
#include "values/dot.h"
#include "values/number/codes.h"

namespace presil {
namespace {

/// The attention of one query of one head: what has been seen so far of keys and values.
class RunningSoftmax {
 public:
  RunningSoftmax(std::span<float> out, Format operands, const VectorUnit& functions)
      : out_(out), operands_(operands), functions_(functions) {
    std::fill(out_.begin(), out_.end(), 0.0f);
  }

  /// Takes in a tile: `scores` of its keys (overwritten), and their values, `stride` apart.
  void add(std::span<float> scores, const float* values, std::int64_t stride) {
    const float largest = std::max(largest_, *std::max_element(scores.begin(), scores.end()));
    const float correction = functions_.exp(largest_ - largest);  // 0 at the first tile
    largest_ = largest;
    sum_ *= correction;
    for (float& o : out_) o *= correction;
    for (float& s : scores) {
      s = functions_.exp(s - largest);
      sum_ += s;
    }
    round_all(operands_, Overflow::infinite, scores);
    add_scaled(scores, values, stride, out_);
  }

  void finish() {
    for (float& o : out_) o /= sum_;
  }

 private:
  std::span<float> out_;
  Format operands_;
  const VectorUnit& functions_;
  float largest_ = -std::numeric_limits<float>::infinity();
  float sum_ = 0;
};

}  // namespace

void attention(const AttentionHeads& shape, std::span<const float> queries,
               std::span<const float> keys, std::span<const float> values, std::span<float> out,
               std::int64_t first_key) {
  const std::int64_t d = shape.head_dim;
  const std::int64_t q_stride = shape.n_heads * d;
  const std::int64_t kv_stride = shape.n_kv_heads * d;
  const std::int64_t n_queries = std::ssize(queries) / q_stride;
  const std::int64_t context = first_key + std::ssize(keys) / kv_stride - n_queries;
  const float inverse_root = 1.0f / std::sqrt(static_cast<float>(d));
  std::vector<float> rounded(queries.begin(), queries.end());
  round_all(shape.operands, Overflow::infinite, rounded);
  const VectorUnit exact;
  const VectorUnit& functions = shape.functions != nullptr ? *shape.functions : exact;

  const auto attend = [&](std::int64_t query, std::int64_t head) {
    const std::int64_t end = context + query + 1;
    const std::int64_t begin = first_key_seen({shape.window}, context + query);
    const std::int64_t tile = shape.tile > 0 ? shape.tile : end;
    const std::int64_t kv_column = head / (shape.n_heads / shape.n_kv_heads) * d;
    const std::int64_t at = query * q_stride + head * d;
    RunningSoftmax softmax(out.subspan(static_cast<std::size_t>(at), static_cast<std::size_t>(d)),
                           shape.operands, functions);
    std::vector<float> scores;
    for (std::int64_t first = begin; first < end;) {
      const std::int64_t last = std::min((first / tile + 1) * tile, end);
      scores.resize(static_cast<std::size_t>(last - first));
      dots(&rounded[at], &keys[(first - first_key) * kv_stride + kv_column], kv_stride, d, scores);
      for (float& s : scores) s *= inverse_root;
      softmax.add(scores, &values[(first - first_key) * kv_stride + kv_column], kv_stride);
      first = last;
    }
    softmax.finish();
  };

  tbb::parallel_for(tbb::blocked_range<std::int64_t>(0, n_queries * shape.n_heads),
                    [&](const tbb::blocked_range<std::int64_t>& part) {
                      for (std::int64_t i = part.begin(); i < part.end(); ++i) {
                        attend(i / shape.n_heads, i % shape.n_heads);
                      }
                    });
}

}  // namespace presil

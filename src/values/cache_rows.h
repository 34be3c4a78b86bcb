// The keys, or the values, of one sequence in one layer, in the format of the KV cache.
//
// Each head of each token is rounded once, when it comes, and kept as the bytes of its format;
// with Scaling::token it is first divided by its own fp32 scale, its largest number over the
// largest of the format. What is beyond the largest becomes it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/numerics.h"
#include "values/access_log.h"

namespace presil {

class CacheRows {
 public:
  /// Rows of `heads` x `head_dim` elements. Throws InputError for a format or a scaling that a
  /// cache does not have: it is kept in fp32, fp16, bf16, fp8_e4m3, fp8_e5m2 or int8, with no
  /// scales or one a token.
  CacheRows(const Operand& stored, std::int64_t heads, std::int64_t head_dim);

  /// Tokens held.
  std::int64_t size() const { return size_; }

  /// Takes in the row of the next token: (heads * head_dim).
  void append(std::span<const float> row);

  /// The numbers that tokens [begin, end) stand for, rounded to `operands`: (end - begin,
  /// heads * head_dim). What is read is told to the tap as one touch.
  void read(std::int64_t begin, std::int64_t end, Format operands, std::span<float> out) const;

  /// From now on the tap's log, which must outlive these rows, is told of all reads and writes.
  void watch(const CacheTap& tap) { tap_ = tap; }

 private:
  Operand stored_;
  std::int64_t heads_;
  std::int64_t head_dim_;
  std::int64_t size_ = 0;
  std::vector<std::byte> codes_;  // (tokens, heads * head_dim)
  std::vector<float> scales_;     // (tokens, heads), of Scaling::token
  CacheTap tap_;
};

}  // namespace presil

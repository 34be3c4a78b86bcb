// A memory on the way, by when its bytes are free again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>

#include "base/units.h"

namespace presil {

/// Later than anything, and safe to add to.
inline constexpr Picoseconds kForever(INT64_MAX / 4);

/// Pieces of data are taken in and let go in one order. A piece is let go when its time is known,
/// which may be before that time has come.
class Buffer {
 public:
  explicit Buffer(std::int64_t capacity) : capacity_(capacity) {}

  /// The earliest time at which `amount` bytes more fit; kForever while that depends on a piece
  /// whose release is not known yet. A piece larger than the whole buffer waits until it is empty.
  Picoseconds room_for(std::int64_t amount) const;

  /// Takes in `amount` bytes. Requires room_for(amount) < kForever.
  void take(std::int64_t amount);

  /// The oldest `amount` bytes that are still held are free from `time` on.
  void release(std::int64_t amount, Picoseconds time);

 private:
  struct Piece {
    std::int64_t bytes;
    Picoseconds time;
  };
  std::int64_t capacity_;
  std::int64_t held_ = 0;
  Picoseconds drained_{0};  // when the last piece that made room was free
  std::deque<Piece> released_;
};

}  // namespace presil

// The requests that wait for one bank in one direction, oldest first. A request is a row, a place
// in the order of arrival, and a tag that means something to whoever sent it.
#pragma once

#include <array>
#include <cstdint>

namespace presil::dram {

/// Whether order number a is older than b; the numbers wrap, and few are alive at a time.
constexpr bool older(std::uint32_t a, std::uint32_t b) {
  return static_cast<std::int32_t>(a - b) < 0;
}

class BankQueue {
 public:
  static constexpr int kDepth = 32;

  int size() const { return size_; }
  int row(int i) const { return rows_[i]; }
  std::uint32_t order(int i) const { return orders_[i]; }
  std::uint32_t tag(int i) const { return tags_[i]; }

  void push(int row, std::uint32_t order, std::uint32_t tag) {
    rows_[size_] = row;
    orders_[size_] = order;
    tags_[size_] = tag;
    ++size_;
  }
  void remove(int i) {
    --size_;
    for (; i < size_; ++i) {
      rows_[i] = rows_[i + 1];
      orders_[i] = orders_[i + 1];
      tags_[i] = tags_[i + 1];
    }
  }
  void clear() { size_ = 0; }
  /// The oldest request for `row`, or -1.
  int find(int row) const {
    for (int i = 0; i < size_; ++i) {
      if (rows_[i] == row) return i;
    }
    return -1;
  }

 private:
  int size_ = 0;
  std::array<std::int32_t, kDepth> rows_{};
  std::array<std::uint32_t, kDepth> orders_{};
  std::array<std::uint32_t, kDepth> tags_{};
};

}  // namespace presil::dram

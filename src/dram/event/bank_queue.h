// The requests that wait for one bank in one direction, oldest first.
#pragma once

#include <array>
#include <cstdint>

#include "chip/chip.h"
#include "dram/command.h"
#include "dram/state_key.h"

namespace presil::dram {

class BankQueue {
 public:
  struct Request {
    Tick arrived = 0;  // no two requests of a pseudo-channel arrive at the same tick
    std::int32_t row = 0;
    std::uint32_t tag = 0;
  };

  int size() const { return size_; }
  const Request& operator[](int i) const { return ring_[(head_ + i) & (kDepth - 1)]; }

  void push(const Request& request) { ring_[(head_ + size_++) & (kDepth - 1)] = request; }
  void remove(int i) {
    for (; i > 0; --i) ring_[(head_ + i) & (kDepth - 1)] = ring_[(head_ + i - 1) & (kDepth - 1)];
    ++head_;
    --size_;
  }
  void clear() { size_ = 0; }
  /// The oldest request for `row`, or -1.
  int find(int row) const {
    for (int i = 0; i < size_; ++i) {
      if ((*this)[i].row == row) return i;
    }
    return -1;
  }

  void shift(const StateShift& shift) {
    for (Request& request : ring_) {
      request.arrived += shift.ticks;
      shift.row(request.row);
    }
  }

 private:
  static constexpr int kDepth = static_cast<int>(Controller::kMaxQueue);
  static_assert((kDepth & (kDepth - 1)) == 0);

  int size_ = 0, head_ = 0;
  std::array<Request, kDepth> ring_;
};

}  // namespace presil::dram

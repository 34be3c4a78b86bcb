// The streams of the golden tick counts, for tests.
//
// 64-byte blocks within a span of 512 MiB, one pseudo-channel of HBM3, each sent as two atoms of 32
// bytes. The random bits are xorshift64*, so that a stream is the same everywhere.
#pragma once

#include <cstdint>

namespace presil::dram::testing {

struct Atom {
  std::int64_t index = 0;  // its address in atoms
  bool write = false;
};

class GoldenStream {
 public:
  enum Kind { sequential, random, stride, blocks };

  /// `step`: bytes from block to block of a stride. `blocks` are of 4 KiB, at random places.
  explicit GoldenStream(Kind kind, std::int64_t step = 4096) : kind_(kind), step_(step) {}

  /// Every n-th 64-byte block is a write.
  GoldenStream& with_writes(std::int64_t every) { return writes_every_ = every, *this; }

  Atom operator()() {
    if (atoms_ % 2 == 0) start_block();
    return {block_ * 2 + atoms_++ % 2, write_};
  }

 private:
  static constexpr std::int64_t kSpan = 512 << 20, kBlock = 64, kPage = 4096;

  void start_block() {
    const std::int64_t count = atoms_ / 2;
    block_ = address_of(count) / kBlock;
    write_ = writes_every_ > 0 && count % writes_every_ == writes_every_ - 1;
  }

  std::int64_t address_of(std::int64_t count) {
    switch (kind_) {
      case sequential:
        return count * kBlock % kSpan;
      case random:
        return draw(kSpan / kBlock) * kBlock;
      case stride: {
        const std::int64_t per_round = kSpan / step_;
        const std::int64_t place = count % per_round, round = count / per_round;
        return (place * step_ + round * kBlock % step_) % kSpan;
      }
      case blocks:
        if (count % (kPage / kBlock) == 0) page_ = draw(kSpan / kPage) * kPage;
        return page_ + count * kBlock % kPage;
    }
    return 0;
  }

  std::int64_t draw(std::int64_t n) {
    bits_ ^= bits_ << 13;
    bits_ ^= bits_ >> 7;
    bits_ ^= bits_ << 17;
    const std::uint64_t mixed = (bits_ * 0x2545F4914F6CDD1DULL) >> 20;
    return static_cast<std::int64_t>(mixed % static_cast<std::uint64_t>(n));
  }

  Kind kind_;
  std::int64_t step_;
  std::int64_t writes_every_ = 0;  // 0: none
  std::int64_t atoms_ = 0;         // given so far
  std::int64_t block_ = 0, page_ = 0;
  bool write_ = false;
  std::uint64_t bits_ = 0x9E3779B97F4A7C15ULL;
};

}  // namespace presil::dram::testing

// What the kernels of a session really dereference, as bytes of the program's DRAM.
//
// In tests a session is given a log. Views of weights and the rows of the KV cache then tell it
// every row that a kernel reads or writes, and the log turns rows into the bytes that the program
// gives them: a weight's at base + repetition * layer_stride, a cache's where bind put them. That
// the file holds a weight in another format changes nothing: the log is about the program's bytes.
//
// The elements of all rows of a tensor come first, then its scales in the order of rows. A scale
// that rows share is counted with the first of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>
#include <vector>

#include "program/program.h"

namespace presil {

/// One kernel of a step: `repetition` is that of its block, `rank` the chip it runs on.
struct KernelPlace {
  int rank = 0;
  std::size_t block = 0;
  std::size_t kernel = 0;
  std::int64_t repetition = 0;
  friend bool operator==(const KernelPlace&, const KernelPlace&) = default;
};

/// Bytes [begin, end) of a chip's DRAM that belong to `tensor`.
struct Access {
  KernelPlace place;
  int tensor = 0;
  bool write = false;
  std::int64_t begin = 0;
  std::int64_t end = 0;
};

class AccessLog {
 public:
  /// What is recorded from now on is the work of the kernel at `place`.
  void enter(const KernelPlace& place) { place_ = place; }

  /// Records [begin, end), which may be empty. Threads of one kernel may call it at once.
  void record(int tensor, bool write, std::int64_t begin, std::int64_t end);

  /// In no particular order within a kernel.
  std::span<const Access> accesses() const { return accesses_; }
  void clear() { accesses_.clear(); }

 private:
  std::mutex mutex_;
  KernelPlace place_;
  std::vector<Access> accesses_;
};

/// What a view of a weight tells the log: the rows of one tensor whose bytes start at `base`.
struct WeightTap {
  AccessLog* log = nullptr;
  const Tensor* tensor = nullptr;
  int index = 0;  // of the tensor in its program
  std::int64_t base = 0;

  void read(std::int64_t row) const;
};

/// What the rows of a cache tell the log: token t lies at base + t * token_bytes.
struct CacheTap {
  AccessLog* log = nullptr;
  int index = 0;  // of the tensor in its program
  std::int64_t base = 0;
  std::int64_t token_bytes = 0;

  void touch(bool write, std::int64_t begin, std::int64_t end) const;
};

}  // namespace presil

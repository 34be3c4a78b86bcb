// The blocks of a paged KV cache: who holds them, what text they keep, which is taken next.
//
// As in vLLM v1, a free block still holds its text. Free blocks stand in a queue; the front is
// taken first and loses its text then; blocks that a sequence gives back go to the end, the last
// block of its text first, so that the tail of a prompt is forgotten before its head. A block
// whose text is asked for again leaves the queue.
//
// Only blocks with a name, the hash of all text up to their end, can be found again. All others
// are alike, so they are counted, not numbered: a stretch of them in the queue is one entry, and a
// sequence that shares no text costs a few additions.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "serving/engine/name_table.h"

namespace presil::serving {

/// What one sequence holds: blocks with names, in the order of its text, then nameless ones.
struct HeldBlocks {
  std::vector<std::int32_t> named;
  std::int64_t nameless = 0;

  std::int64_t count() const { return static_cast<std::int64_t>(named.size()) + nameless; }
};

class KvBlocks {
 public:
  explicit KvBlocks(std::int64_t capacity);

  std::int64_t capacity() const { return capacity_; }
  /// Held by no sequence; blocks that keep text included.
  std::int64_t free() const { return free_; }
  std::int64_t used() const { return capacity_ - free_; }

  /// How many of `names`, from the first on, are kept.
  std::int64_t cached(std::span<const std::uint64_t> names) const;
  /// Gives a sequence without blocks the kept ones of `names` and `more` new ones, or returns
  /// false and changes nothing. Requires cached(names) == names.size().
  bool admit(HeldBlocks& held, std::span<const std::uint64_t> names, std::int64_t more);
  /// Gives `more` new blocks, or returns false and changes nothing.
  bool grow(HeldBlocks& held, std::int64_t more) {
    if (more > free_) return false;
    take(more);
    held.nameless += more;
    return true;
  }
  /// The first nameless block of `held` now keeps the text `name`. Requires that there is one.
  void name(HeldBlocks& held, std::uint64_t name);
  /// Takes all of them back.
  void release(HeldBlocks& held);

 private:
  static constexpr std::int32_t kNone = NameTable::kNone;

  // A block with a name, or a stretch of nameless blocks in the queue of free ones.
  struct Node {
    std::uint64_t name = 0;
    std::int64_t stretch = 0;  // nameless blocks; 0: a block with a name
    std::int32_t holders = 0;
    std::int32_t ahead = kNone, behind = kNone;  // in the queue
    std::int32_t older = kNone, newer = kNone;   // blocks with this very name, in a ring
  };

  std::int32_t new_node();
  void take(std::int64_t count);
  void forget(std::int32_t node);
  void put_back(std::int64_t nameless);
  void push(std::int32_t node);
  void unlink(std::int32_t node);

  std::int64_t capacity_ = 0, free_ = 0;
  std::vector<Node> nodes_;
  std::vector<std::int32_t> spare_nodes_;
  std::int32_t front_ = kNone, back_ = kNone;
  NameTable oldest_;  // of each name
};

}  // namespace presil::serving

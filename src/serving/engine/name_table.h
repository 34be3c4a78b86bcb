// Which KV block holds the text of a name: open addressing in one array, because a long prompt asks
// a thousand times at its admission.
#pragma once

#include <cstdint>
#include <vector>

namespace presil::serving {

/// From 64-bit names, which are hashes already, to numbers >= 0.
class NameTable {
 public:
  static constexpr std::int32_t kNone = -1;

  std::int32_t find(std::uint64_t name) const {
    if (entries_.empty()) return kNone;
    return entries_[place(name)].value;
  }
  /// Requires that the name is not there.
  void insert(std::uint64_t name, std::int32_t value);
  /// Requires that the name is there.
  void replace(std::uint64_t name, std::int32_t value) { entries_[place(name)].value = value; }
  void erase(std::uint64_t name);
  std::int64_t size() const { return size_; }

 private:
  struct Entry {
    std::uint64_t name = 0;
    std::int32_t value = kNone;
  };

  std::size_t mask() const { return entries_.size() - 1; }
  /// Where the name is, or would be put.
  std::size_t place(std::uint64_t name) const {
    std::size_t i = name & mask();
    while (entries_[i].value != kNone && entries_[i].name != name) i = (i + 1) & mask();
    return i;
  }
  void grow();

  std::vector<Entry> entries_;  // a power of two, at most half full
  std::int64_t size_ = 0;
};

}  // namespace presil::serving

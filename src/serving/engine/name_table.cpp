#include "serving/engine/name_table.h"

#include <algorithm>

namespace presil::serving {

void NameTable::grow() {
  std::vector<Entry> old(std::max<std::size_t>(16, entries_.size() * 2));
  old.swap(entries_);
  for (const Entry& entry : old) {
    if (entry.value != kNone) entries_[place(entry.name)] = entry;
  }
}

void NameTable::insert(std::uint64_t name, std::int32_t value) {
  if (static_cast<std::size_t>(size_) * 2 >= entries_.size()) grow();
  entries_[place(name)] = {name, value};
  ++size_;
}

void NameTable::erase(std::uint64_t name) {
  std::size_t hole = place(name);
  entries_[hole] = {};
  --size_;
  // What was put further on because its place was taken moves back, so that no search ends early.
  for (std::size_t i = (hole + 1) & mask(); entries_[i].value != kNone; i = (i + 1) & mask()) {
    const std::size_t home = entries_[i].name & mask();
    if (((i - home) & mask()) < ((i - hole) & mask())) continue;
    entries_[hole] = entries_[i];
    entries_[i] = {};
    hole = i;
  }
}

}  // namespace presil::serving

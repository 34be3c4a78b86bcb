// Joining neighbours, best pair first: the step that both kinds of byte pair encoding share.
//
// A word is a chain of symbols. Whoever calls says which pairs may be joined, how good each pair is
// and what it becomes; this file keeps the order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <queue>
#include <tuple>
#include <unordered_map>
#include <vector>

namespace presil {

constexpr int kNotAToken = -1;

/// A stretch of the word: a link of the chain of what has been joined so far.
struct Symbol {
  int token = kNotAToken;  // kNotAToken: text that is no token
  std::size_t begin = 0;
  std::size_t size = 0;  // in bytes; 0: joined into its left neighbour
  int previous = -1;
  int next = -1;
};

/// What two neighbours become. The lowest rank is joined first.
struct Joined {
  int rank;
  int token;
};

/// Pairs of tokens that may be joined, as a list of merges gives them.
class MergeTable {
 public:
  /// Of a pair given twice, the first counts.
  void add(int left, int right, Joined joined) { merges_.emplace(key(left, right), joined); }

  std::optional<Joined> find(int left, int right) const {
    const auto found = merges_.find(key(left, right));
    return found == merges_.end() ? std::nullopt : std::optional(found->second);
  }

 private:
  static std::uint64_t key(int left, int right) {
    return static_cast<std::uint64_t>(static_cast<std::uint32_t>(left)) << 32 |
           static_cast<std::uint32_t>(right);
  }
  std::unordered_map<std::uint64_t, Joined> merges_;
};

/// The symbols of one word, in order, which cover it without gaps.
class SymbolChain {
 public:
  /// Appends a symbol of `size` bytes, at least 1.
  void append(int token, std::size_t size) {
    const auto position = static_cast<int>(symbols_.size());
    std::size_t begin = 0;
    if (!symbols_.empty()) {
      symbols_.back().next = position;
      begin = symbols_.back().begin + symbols_.back().size;
    }
    symbols_.push_back({token, begin, size, position - 1, -1});
  }

  /// Joins until `join` (two Symbols -> std::optional<Joined>) knows no pair any more. Of equal
  /// ranks the leftmost is joined first.
  template <class Join>
  void merge(Join join) {
    std::priority_queue<Candidate, std::vector<Candidate>, Later> candidates;
    const auto consider = [&](int position) {
      if (position < 0 || at(position).next < 0) return;
      const Symbol& left = at(position);
      const Symbol& right = at(left.next);
      if (const std::optional<Joined> joined = join(left, right)) {
        candidates.push({joined->rank, position, left.size, right.size, joined->token});
      }
    };
    for (std::size_t i = 0; i < symbols_.size(); ++i) consider(static_cast<int>(i));

    while (!candidates.empty()) {
      const Candidate best = candidates.top();
      candidates.pop();
      Symbol& left = at(best.position);
      if (left.size != best.left_size || left.next < 0) continue;
      Symbol& right = at(left.next);
      if (right.size != best.right_size) continue;
      left.token = best.joined;
      left.size += right.size;
      left.next = right.next;
      right.size = 0;
      if (left.next >= 0) at(left.next).previous = best.position;
      consider(left.previous);
      consider(best.position);
    }
  }

  /// Calls `visit(symbol)` for what is left, in order.
  template <class Visit>
  void for_each(Visit visit) const {
    for (const Symbol& symbol : symbols_) {
      if (symbol.size > 0) visit(symbol);
    }
  }

 private:
  /// A pair that could be joined; outdated once either symbol has changed, and so its size.
  struct Candidate {
    int rank;
    int position;  // of the left symbol
    std::size_t left_size;
    std::size_t right_size;
    int joined;
  };
  struct Later {
    bool operator()(const Candidate& a, const Candidate& b) const {
      return std::tie(a.rank, a.position) > std::tie(b.rank, b.position);
    }
  };
  Symbol& at(int position) { return symbols_[static_cast<std::size_t>(position)]; }

  std::vector<Symbol> symbols_;
};

}  // namespace presil

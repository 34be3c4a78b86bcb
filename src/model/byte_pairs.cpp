#include "model/byte_pairs.h"

#include <queue>
#include <tuple>

#include <fmt/format.h>

#include "base/error.h"
#include "model/byte_level.h"

namespace presil {
namespace {

constexpr int kNone = -1;

std::uint64_t pair_key(int left, int right) {
  return static_cast<std::uint64_t>(static_cast<std::uint32_t>(left)) << 32 |
         static_cast<std::uint32_t>(right);
}

/// A stretch of the word: a link of the chain of what has been joined so far.
struct Symbol {
  int token = kNone;  // kNone: joined into its left neighbour
  int previous = kNone;
  int next = kNone;
};

/// A pair that could be joined; outdated once either token has changed.
struct Candidate {
  int rank = 0;
  int position = 0;  // of the left symbol
  int left = 0;
  int right = 0;
  int joined = 0;
};

struct Later {
  bool operator()(const Candidate& a, const Candidate& b) const {
    return std::tie(a.rank, a.position) > std::tie(b.rank, b.position);
  }
};

}  // namespace

BytePairs::BytePairs(const Vocabulary& vocabulary) {
  for (std::size_t i = 0; i < vocabulary.tokens.size(); ++i) {
    const TokenType type = vocabulary.types[i];
    if (type != TokenType::normal && type != TokenType::user_defined) continue;
    if (auto bytes = from_byte_level(vocabulary.tokens[i])) {
      token_of_.emplace(std::move(*bytes), static_cast<int>(i));
    }
  }
  for (std::size_t rank = 0; rank < vocabulary.merges.size(); ++rank) {
    const std::string_view merge = vocabulary.merges[rank];
    const std::size_t space = merge.find(' ');
    const auto left = from_byte_level(merge.substr(0, space));
    const auto right =
        space == std::string_view::npos ? std::nullopt : from_byte_level(merge.substr(space + 1));
    const bool spelled = left && right;
    const Merge entry{static_cast<int>(rank), spelled ? find(*left + *right) : kNone};
    if (entry.token == kNone || find(*left) == kNone || find(*right) == kNone) {
      throw InputError(fmt::format(
          "tokenizer.ggml.merges: expected two tokens that join into a third, found \"{}\"",
          merge));
    }
    merges_.emplace(pair_key(find(*left), find(*right)), entry);
  }
}

int BytePairs::find(std::string_view bytes) const {
  const auto found = token_of_.find(bytes);
  return found == token_of_.end() ? kNone : found->second;
}

const BytePairs::Merge* BytePairs::merge_of(int left, int right) const {
  const auto found = merges_.find(pair_key(left, right));
  return found == merges_.end() ? nullptr : &found->second;
}

void BytePairs::encode(std::string_view word, std::vector<int>& tokens) const {
  std::vector<Symbol> chain;
  for (const char byte : word) {
    const int token = find(std::string_view(&byte, 1));
    if (token == kNone) continue;
    const int position = static_cast<int>(chain.size());
    if (!chain.empty()) chain.back().next = position;
    chain.push_back({token, position - 1, kNone});
  }
  const auto at = [&](int position) -> Symbol& {
    return chain[static_cast<std::size_t>(position)];
  };

  std::priority_queue<Candidate, std::vector<Candidate>, Later> candidates;
  const auto consider = [&](int position) {
    if (position == kNone || at(position).next == kNone) return;
    const int left = at(position).token;
    const int right = at(at(position).next).token;
    const Merge* merge = merge_of(left, right);
    if (merge != nullptr) candidates.push({merge->rank, position, left, right, merge->token});
  };
  for (std::size_t i = 0; i < chain.size(); ++i) consider(static_cast<int>(i));

  while (!candidates.empty()) {
    const Candidate best = candidates.top();
    candidates.pop();
    Symbol& left = at(best.position);
    if (left.token != best.left || left.next == kNone || at(left.next).token != best.right)
      continue;
    Symbol& right = at(left.next);
    left.token = best.joined;
    right.token = kNone;
    left.next = right.next;
    if (left.next != kNone) at(left.next).previous = best.position;
    consider(left.previous);
    consider(best.position);
  }
  for (const Symbol& symbol : chain) {
    if (symbol.token != kNone) tokens.push_back(symbol.token);
  }
}

}  // namespace presil

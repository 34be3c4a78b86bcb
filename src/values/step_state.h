// What the ranks of a session share while a step runs.
#pragma once

#include <vector>

#include "program/bind.h"
#include "values/rows.h"
#include "values/session.h"

namespace presil {

struct StepState {
  Step step;
  LogitsOf logits_of = LogitsOf::last;
  std::vector<int> tokens;          // of all sequences, one after another
  std::vector<Rotation> rotations;  // by token

  /// Rows of a tensor that has one for each token, or for each sequence: with logits of all tokens
  /// those have one for each token, too.
  std::size_t rows(Symbol symbol) const {
    const bool by_token = symbol == Symbol::T || logits_of == LogitsOf::all;
    return by_token ? tokens.size() : step.sequences.size();
  }

  /// The last token of each sequence, as an index into `tokens`.
  std::vector<std::size_t> last_tokens() const {
    std::vector<std::size_t> result;
    std::size_t end = 0;
    for (const Sequence& s : step.sequences) {
      end += static_cast<std::size_t>(s.new_tokens);
      result.push_back(end - 1);
    }
    return result;
  }
};

}  // namespace presil

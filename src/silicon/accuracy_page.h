// What the scoreboard found, as pages for people: docs/accuracy.md and the README's table.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "silicon/score.h"

namespace presil::silicon {

/// The same rows predicted three ways.
struct AccuracyBoards {
  Scoreboard shipped;   // with software/constants.yaml
  Scoreboard folds;     // each family of shapes by constants fitted on the others
  Scoreboard left_out;  // each chip by constants fitted on the others
};

/// The whole page, in Markdown.
std::string accuracy_page(const AccuracyBoards& boards, const Cases& cases,
                          const std::vector<std::string>& fitted_on, double min_latency_us);

/// The text of `readme` with a new table between the lines that mark its place. Throws InputError
/// without them.
std::string with_accuracy_table(const std::filesystem::path& readme, const AccuracyBoards& boards);

}  // namespace presil::silicon

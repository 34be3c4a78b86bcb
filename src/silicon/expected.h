// The errors of every group, kept in a file, so that a change which makes one worse is noticed.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "silicon/score.h"

namespace presil::silicon {

/// "group,rows,mape", a line a group of enough rows; headlines too.
std::string print_expected(const Scoreboard& board);

/// The groups whose mean error is larger than the file has it by more than one point and a tenth of
/// it: a sentence each. A group that the file lacks is not judged: its rows are in the headline's.
/// Throws InputError for a file that is not as print_expected writes it.
std::vector<std::string> worse_than(const std::filesystem::path& file, const Scoreboard& board);

}  // namespace presil::silicon

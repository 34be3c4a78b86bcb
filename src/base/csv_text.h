// The fields of a line of comma-separated values. A field may stand in double quotes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace presil {

/// The fields of one line of a CSV file, without its end.
struct CsvFields {
  std::vector<std::string> text;
  std::vector<int> column;  // 1-based, where each begins
};

/// Splits `line` into `into`, whose memory is used again. False for a quote that does not close.
bool split_csv(std::string_view line, CsvFields& into);

}  // namespace presil

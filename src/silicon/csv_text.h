// A table as text: a header line with the names of the columns, then a line a row; plain or
// gzipped. Fields may stand in double quotes. Files are hostile: sizes are bounded.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace presil::silicon {

/// The whole of a plain or gzipped file, at most 1 GiB of text. Throws MissingInput when it cannot
/// be opened and InputError when it is longer or its compression is broken.
std::string read_maybe_gzipped(const std::filesystem::path& file);

/// The fields of one line of a CSV file, without its end.
struct CsvFields {
  std::vector<std::string> text;
  std::vector<int> column;  // 1-based, where each begins
};

/// Splits `line` into `into`, whose memory is used again. False for a quote that does not close.
bool split_csv(std::string_view line, CsvFields& into);

}  // namespace presil::silicon

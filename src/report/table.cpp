#include "report/table.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "report/text_width.h"

namespace presil {

namespace {

constexpr std::string_view kGap = "  ";
constexpr std::string_view kRule = "─";
constexpr std::string_view kReset = "\x1b[0m";

std::string_view escape_of(Tone tone) {
  switch (tone) {
    case Tone::plain:
      return "";
    case Tone::strong:
      return "\x1b[1m";
    case Tone::dim:
      return "\x1b[2m";
    case Tone::good:
      return "\x1b[32m";
    case Tone::warning:
      return "\x1b[33m";
    case Tone::bad:
      return "\x1b[31m";
  }
  return "";
}

std::string coloured(const std::string& text, Tone tone, bool colour) {
  const std::string_view escape = colour ? escape_of(tone) : "";
  if (escape.empty()) return text;
  return std::string(escape) + text + std::string(kReset);
}

std::string repeated(std::string_view text, int times) {
  std::string result;
  for (int i = 0; i < times; ++i) result += text;
  return result;
}

}  // namespace

Table::Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

void Table::add(std::vector<Cell> row) {
  CHECK(row.size() == columns_.size(), "a row has a cell for each column");
  for (Cell& cell : row) cell.text = printable(cell.text);
  rows_.push_back(std::move(row));
}

void Table::add_rule() {
  rows_.emplace_back();
}

std::string Table::render(bool colour) const {
  std::vector<int> widths;
  for (const Column& column : columns_) widths.push_back(display_width(column.heading));
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], display_width(row[i].text));
    }
  }

  const auto line_of = [&](const std::vector<Cell>& row) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const int blanks = widths[i] - display_width(row[i].text);
      const bool last = i + 1 == row.size();
      if (columns_[i].align == Align::right) line += repeated(" ", blanks);
      line += coloured(row[i].text, row[i].tone, colour);
      if (columns_[i].align == Align::left && !last) line += repeated(" ", blanks);
      if (!last) line += kGap;
    }
    return line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  };

  std::vector<Cell> headings;
  for (const Column& column : columns_) headings.emplace_back(column.heading, Tone::strong);
  int total = static_cast<int>(kGap.size() * (columns_.empty() ? 0 : columns_.size() - 1));
  for (const int width : widths) total += width;
  const std::string rule = repeated(kRule, total) + "\n";

  std::string text = line_of(headings) + rule;
  for (const auto& row : rows_) text += row.empty() ? rule : line_of(row);
  return text;
}

}  // namespace presil

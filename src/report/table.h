// Tables for the terminal: aligned columns, numbers to the right, a rule under the headings.
#pragma once

#include <string>
#include <vector>

namespace presil {

enum class Align { left, right };

/// What a cell means; shown as colour where there is colour.
enum class Tone { plain, strong, dim, good, warning, bad };

struct Column {
  std::string heading;
  Align align = Align::left;
};

struct Cell {
  Cell(std::string text_of_cell, Tone tone_of_cell = Tone::plain)
      : text(std::move(text_of_cell)), tone(tone_of_cell) {}
  Cell(const char* text_of_cell) : Cell(std::string(text_of_cell)) {}
  std::string text;  // UTF-8; control characters are made harmless
  Tone tone = Tone::plain;
};

class Table {
 public:
  explicit Table(std::vector<Column> columns);

  /// Adds a row. Requires as many cells as columns.
  void add(std::vector<Cell> row);

  /// A rule before the next row.
  void add_rule();

  /// Lines that end in "\n", columns two spaces apart, no blanks at line ends. `colour` as in
  /// Terminal.
  std::string render(bool colour = false) const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;  // an empty row is a rule
};

}  // namespace presil

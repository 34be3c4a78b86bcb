#include "base/csv_text.h"

#include <algorithm>

namespace presil {

bool split_csv(std::string_view line, CsvFields& into) {
  std::size_t count = 0;
  std::size_t at = 0;
  bool closed = true;
  const auto next = [&]() -> std::string& {
    if (count == into.text.size()) {
      into.text.emplace_back();
      into.column.push_back(0);
    }
    into.column[count] = static_cast<int>(at) + 1;
    into.text[count].clear();
    return into.text[count++];
  };
  for (;;) {
    std::string& field = next();
    if (at < line.size() && line[at] == '"') {
      closed = false;
      for (++at; at < line.size(); ++at) {
        if (line[at] != '"') {
          field += line[at];
        } else if (at + 1 < line.size() && line[at + 1] == '"') {
          field += line[++at];
        } else {
          closed = true;
          ++at;
          break;
        }
      }
    }
    const std::size_t end = std::min(line.find(',', at), line.size());
    field.append(line.substr(at, end - at));
    if (end == line.size()) break;
    at = end + 1;
  }
  into.text.resize(count);
  into.column.resize(count);
  return closed;
}

}  // namespace presil

#include "silicon/expected.h"

#include <charconv>
#include <map>

#include <fmt/format.h>

#include "base/csv_text.h"
#include "base/error.h"
#include "base/lines.h"

namespace presil::silicon {
namespace {

constexpr std::int64_t kFewest = 20;  // rows, below which a mean says little
constexpr std::string_view kHeader = "group,rows,mape";
constexpr double kPoints = 1, kShare = 0.1;

struct Group {
  std::int64_t rows;
  double mape;
};

std::map<std::string, Group> groups_of(const Scoreboard& board) {
  std::map<std::string, Group> groups;
  for (const Score& s : board.scores) {
    if (s.errors.rows < kFewest) continue;
    std::string regime = s.regime;
    if (const auto comma = regime.find(','); comma != std::string::npos) regime.erase(comma, 1);
    groups[fmt::format("{} {} {} {} {} {} {}", s.op, s.kind, s.chip, s.dtype, s.kv_dtype, s.backend,
                       regime)] = {s.errors.rows, s.errors.mape};
  }
  for (const Headline& h : board.headline) {
    groups[fmt::format("headline {} {}", h.op, h.dtype)] = {h.errors.rows, h.errors.mape};
  }
  return groups;
}

}  // namespace

std::string print_expected(const Scoreboard& board) {
  std::string text = fmt::format("{}\n", kHeader);
  for (const auto& [name, group] : groups_of(board)) {
    text += fmt::format("{},{},{:.2f}\n", name, group.rows, group.mape);
  }
  return text;
}

std::vector<std::string> worse_than(const std::filesystem::path& file, const Scoreboard& board) {
  const std::map<std::string, Group> now = groups_of(board);
  std::vector<std::string> worse;
  CsvFields fields;
  Lines lines(file);
  while (const auto line = lines.next()) {
    double expected = 0;
    const bool header = lines.number() == 1;
    const bool whole = split_csv(*line, fields) && fields.text.size() == 3;
    if (header ? *line != kHeader : !whole) {
      throw InputError({lines.complaint(1, fmt::format("expected {}", kHeader))});
    }
    if (header) continue;
    const std::string& number = fields.text[2];
    const auto [stop, error] =
        std::from_chars(number.data(), number.data() + number.size(), expected);
    if (error != std::errc() || stop != number.data() + number.size()) {
      throw InputError({lines.complaint(fields.column[2], "mape: expected a number")});
    }
    const auto found = now.find(fields.text[0]);
    if (found == now.end()) continue;
    if (found->second.mape > expected * (1 + kShare) + kPoints) {
      worse.push_back(fmt::format("{}: {:.1f} % off, expected {:.1f} %", found->first,
                                  found->second.mape, expected));
    }
  }
  return worse;
}

}  // namespace presil::silicon

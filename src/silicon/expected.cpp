#include "silicon/expected.h"

#include <charconv>
#include <map>

#include <fmt/format.h>

#include "base/error.h"
#include "silicon/csv_text.h"

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
  const std::string text = read_maybe_gzipped(file);
  std::string_view rest = text;
  std::vector<std::string> worse;
  CsvFields fields;
  for (int line = 1; !rest.empty(); ++line) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view one = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    double expected = 0;
    const bool whole = split_csv(one, fields) && fields.text.size() == 3;
    if (line == 1 ? one != kHeader : !whole) {
      throw InputError({{file.string(), line, 1, 1, fmt::format("expected {}", kHeader), ""}});
    }
    if (line == 1) continue;
    const std::string& number = fields.text[2];
    const auto [stop, error] =
        std::from_chars(number.data(), number.data() + number.size(), expected);
    if (error != std::errc() || stop != number.data() + number.size()) {
      throw InputError({{file.string(), line, fields.column[2], 1, "mape: expected a number", ""}});
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

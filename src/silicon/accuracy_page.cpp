#include "silicon/accuracy_page.h"

#include <map>

#include <fmt/format.h>

#include "base/document.h"
#include "base/error.h"

namespace presil::silicon {
namespace {

constexpr std::string_view kBegin =
    "<!-- accuracy: written by presil verify silicon --write-docs -->";
constexpr std::string_view kEnd = "<!-- accuracy: end -->";
constexpr std::size_t kMostReadme = 1 << 20;

std::string percent(double value) {
  return fmt::format("{:.1f}", value);
}

/// The headline of the three boards side by side; they have the same rows, so the same lines.
std::string headline_table(const AccuracyBoards& boards) {
  std::string text =
      "| operator | type | rows | error, constants as shipped | shapes held back, five-fold "
      "| chip held back | three-constant roofline, five-fold |\n|---|---|--:|--:|--:|--:|--:|\n";
  const auto same = [](const std::vector<Headline>& lines, const Headline& like) {
    for (const Headline& h : lines) {
      if (h.op == like.op && h.dtype == like.dtype) return percent(h.errors.mape);
    }
    return std::string("-");
  };
  for (const Headline& h : boards.shipped.headline) {
    std::string op = h.op;
    if (op == "attention_decode") op += ", context >= 1,024";
    std::string roofline = "-";
    for (const Headline& f : boards.folds.headline) {
      if (f.op == h.op && f.dtype == h.dtype) roofline = percent(f.errors.roofline_mape);
    }
    text += fmt::format("| {} | {} | {} | {} | {} | {} | {} |\n", op, h.dtype, h.errors.rows,
                        percent(h.errors.mape), same(boards.folds.headline, h),
                        same(boards.left_out.headline, h), roofline);
  }
  return text;
}

/// By all that tells groups apart but the regime: the regime is part of a prediction and may differ
/// between boards.
std::string scores_table(const Scoreboard& board) {
  std::string text =
      "| operator | kind | chip | type | cache | engine | regime | rows | mean error | median | "
      "90th percentile | bias | roofline |\n"
      "|---|---|---|---|---|---|---|--:|--:|--:|--:|--:|--:|\n";
  for (const Score& s : board.scores) {
    const bool attention = s.op.starts_with("attention");
    text += fmt::format("| {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {:+.1f} | {} |\n",
                        s.op, s.kind == s.op ? "" : s.kind, s.chip, s.dtype,
                        attention ? s.kv_dtype : "", s.backend, s.regime, s.errors.rows,
                        percent(s.errors.mape), percent(s.errors.median_ape),
                        percent(s.errors.p90_ape), s.errors.bias, percent(s.errors.roofline_mape));
  }
  return text;
}

std::string skipped_list(const Skipped& skipped) {
  if (skipped.empty()) return "None.\n";
  std::map<std::tuple<std::string, std::string, std::string>, std::int64_t> rows;
  for (const auto& [key, count] : skipped) rows[{key.op, key.chip, key.reason}] += count;
  std::string text;
  for (const auto& [key, count] : rows) {
    text += fmt::format("- {} on {}: {} rows: {}\n", std::get<0>(key), std::get<1>(key), count,
                        std::get<2>(key));
  }
  return text;
}

}  // namespace

std::string accuracy_page(const AccuracyBoards& boards, const Cases& cases,
                          const std::vector<std::string>& fitted_on, double min_latency_us) {
  std::string fitted;
  for (const std::string& line : fitted_on) fitted += fmt::format("- {}\n", line);
  return fmt::format(
      "# How far off the times are\n\n"
      "Written by `presil verify silicon --write-docs` from the rows in "
      "[data/silicon](../data/silicon/README.md).\n"
      "Errors are the mean of |predicted / measured - 1| in percent. Rows of at least {:g} us; "
      "shorter ones stand apart below.\n"
      "Left out of the first table: rows that timed a host (vLLM's fp8_block products, eager "
      "collectives), and decode at contexts below 1,024.\n\n"
      "{}\n"
      "- *Constants as shipped*: software/constants.yaml, fitted on these very rows.\n"
      "- *Shapes held back*: each family of shapes, (n, k) of a product or (heads, KV heads, head "
      "dimension, window) of attention, is predicted by constants fitted on other families.\n"
      "- *Chip held back*: each chip is predicted by constants fitted on the other alone. This is "
      "the honest estimate for a chip that nobody measured.\n"
      "- *Three-constant roofline*: launch + max(operations / (share x peak), bytes / (share x "
      "bandwidth)), its constants fitted for each operator and type on the same rows, with the "
      "same shapes held back.\n\n"
      "## What was fitted, and on what\n\n"
      "The constants of the kernel laws, each with its meaning, bounds and values, are in "
      "`software/constants.yaml`. They were fitted on:\n\n{}\n"
      "Not fitted: everything in `chips/` and `memories/` (data sheets), the time that DRAM takes "
      "(the memory engine), and all of the tile-by-tile timeline of chips without a kernel "
      "library.\n\n"
      "## Every group, constants as shipped\n\n"
      "The regime is what most of the predicted time is.\n\n{}\n"
      "## Every group, shapes held back\n\n{}\n"
      "## Every group, chip held back\n\n{}\n"
      "## Rows that cannot be predicted\n\n{}",
      min_latency_us, headline_table(boards), fitted, scores_table(boards.shipped),
      scores_table(boards.folds), scores_table(boards.left_out), skipped_list(cases.skipped()));
}

std::string with_accuracy_table(const std::filesystem::path& readme, const AccuracyBoards& boards) {
  const std::string text = read_text(readme, kMostReadme);
  const std::size_t begin = text.find(kBegin);
  const std::size_t end = text.find(kEnd);
  if (begin == std::string::npos || end == std::string::npos || end < begin) {
    throw InputError(fmt::format("{}: expected the lines '{}' and '{}' around the table",
                                 readme.string(), kBegin, kEnd));
  }
  return text.substr(0, begin + kBegin.size()) + "\n\n" + headline_table(boards) + "\n" +
         text.substr(end);
}

}  // namespace presil::silicon

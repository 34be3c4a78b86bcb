#include "silicon/verify.h"

#include <fstream>
#include <set>

#include <fmt/format.h>

#include "base/error.h"
#include "kernels/laws.h"
#include "silicon/accuracy_page.h"
#include "silicon/bands.h"
#include "silicon/expected.h"

namespace presil::silicon {
namespace {

namespace fs = std::filesystem;

constexpr int kDocFolds = 5;

void check(const SiliconRequest& r) {
  const int ways = (r.folds > 0 ? 1 : 0) + (r.leave_out_chip.empty() ? 0 : 1) + (r.fit ? 1 : 0) +
                   (r.write_docs ? 1 : 0);
  if (ways > 1) {
    throw InputError("one of --fit, --folds, --leave-out-chip and --write-docs at a time");
  }
  if (!r.out.empty() && !r.fit) throw InputError("--out: nothing is fitted without --fit");
}

void write(const fs::path& file, const std::string& text, SiliconReport& report) {
  std::ofstream out(file, std::ios::binary);
  out << text;
  if (!out.flush()) throw MissingInput(fmt::format("{}: cannot be written", file.string()));
  report.written.push_back(file.string());
}

kernels::ConstantTable shipped_constants(const fs::path& home) {
  const fs::path file = home / "software" / "constants.yaml";
  return fs::exists(file) ? kernels::read_constants(file) : kernels::ConstantTable();
}

std::vector<const Case*> pointers(const std::vector<Case>& cases) {
  std::vector<const Case*> result;
  for (const Case& c : cases) result.push_back(&c);
  return result;
}

Predictions predict(const Cases& cases, const SiliconRequest& request, const fs::path& home,
                    SiliconReport& report) {
  const FitLimits limits;
  if (request.folds > 0) return predict_folds(cases, request.folds, limits);
  if (!request.leave_out_chip.empty()) {
    return predict_left_out(cases, request.leave_out_chip, limits);
  }
  if (!request.fit) return predict_with(cases, shipped_constants(home), limits);
  const kernels::ConstantTable table =
      fit_laws(pointers(cases.all()), limits, shipped_constants(home));
  if (!request.out.empty()) {
    const std::vector<kernels::LawInfo> laws = kernels::all_laws();
    write(request.out, print_constants(table, laws), report);
  }
  return predict_with(cases, table, limits);
}

/// All three ways of predicting, and what is written from them.
void write_docs(const Cases& cases, const SiliconRequest& request, const fs::path& home,
                const Predictions& shipped, SiliconReport& report) {
  const FitLimits limits;
  const Predictions folds = predict_folds(cases, kDocFolds, limits);
  std::set<std::string> chips;
  for (const Case& c : cases.all()) chips.insert(c.row->chip);
  // Each chip's own prediction is the one that left it out.
  Predictions left_out = folds;
  for (const std::string& chip : chips) {
    const Predictions one = predict_left_out(cases, chip, limits);
    for (std::size_t i = 0; i < cases.all().size(); ++i) {
      if (cases.all()[i].row->chip != chip) continue;
      left_out.us[i] = one.us[i];
      left_out.roofline_us[i] = one.roofline_us[i];
      left_out.regime[i] = one.regime[i];
    }
  }
  const double least = request.min_latency_us;
  const AccuracyBoards boards{score(cases, shipped, least), score(cases, folds, least),
                              score(cases, left_out, least)};
  write(home / "software" / "uncertainty.yaml",
        print_uncertainty(bands_of(cases, folds, left_out, least)), report);
  write(home / "docs" / "accuracy.md", accuracy_page(boards, cases, shipped.fitted_on, least),
        report);
  write(home / "README.md", with_accuracy_table(home / "README.md", boards), report);
}

}  // namespace

SiliconReport verify_silicon(const SiliconRequest& request, const fs::path& home) {
  check(request);
  const fs::path data = request.data.empty() ? home / "data" / "silicon" : request.data;
  const Cases cases(read_rows(data), request.sample, home);
  SiliconReport report;
  const Predictions predictions = predict(cases, request, home, report);
  report.board = score(cases, predictions, request.min_latency_us);
  report.skipped = cases.skipped();
  report.notes = cases.notes();
  report.fitted_on = predictions.fitted_on;
  if (request.write_docs) write_docs(cases, request, home, predictions, report);
  if (!request.expect.empty()) report.worse = worse_than(request.expect, report.board);
  if (!request.write_expected.empty()) {
    write(request.write_expected, print_expected(report.board), report);
  }
  return report;
}

}  // namespace presil::silicon

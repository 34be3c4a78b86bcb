#include "silicon/rows.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <map>
#include <optional>
#include <span>
#include <variant>

#include <fmt/format.h>

#include "base/csv_text.h"
#include "base/error.h"
#include "base/lines.h"

namespace presil::silicon {
namespace {

constexpr std::size_t kMostComplaints = 20;
constexpr std::int64_t kMostText = std::int64_t{1} << 30;   // bytes of a table
constexpr std::int64_t kMostCount = std::int64_t{1} << 32;  // of tokens, features, ranks
constexpr double kMostNumber = 1e15;                        // of bytes and microseconds

using Target = std::variant<std::string Row::*, std::int64_t Row::*, double Row::*>;

/// A column that Row has a place for. Counts are at least `least`; other numbers are positive.
struct Column {
  std::string_view name;
  Target target;
  bool required = true;
  std::int64_t least = 1;
};

const std::array<Column, 8> kCommon = {{{"source", &Row::source, false},
                                        {"chip", &Row::chip},
                                        {"backend", &Row::backend, false},
                                        {"backend_version", &Row::backend_version, false},
                                        {"kernel", &Row::kernel, false},
                                        {"op", &Row::kind, false},
                                        {"dtype", &Row::dtype},
                                        {"latency_us", &Row::latency_us}}};
const std::array<Column, 3> kGemm = {{{"m", &Row::m}, {"n", &Row::n}, {"k", &Row::k}}};
const std::array<Column, 8> kAttention = {{{"kv_dtype", &Row::kv_dtype, false},
                                           {"batch", &Row::batch},
                                           {"seq", &Row::seq, false},
                                           {"context", &Row::context, true, 0},
                                           {"heads", &Row::heads},
                                           {"kv_heads", &Row::kv_heads},
                                           {"head_dim", &Row::head_dim},
                                           {"window", &Row::window, false, 0}}};
const std::array<Column, 2> kCollective = {{{"tp", &Row::tp}, {"bytes", &Row::bytes}}};

constexpr std::array<MeasuredOp, 4> kOps = {MeasuredOp::gemm, MeasuredOp::attention_prefill,
                                            MeasuredOp::attention_decode, MeasuredOp::collective};

std::span<const Column> own_columns(MeasuredOp op) {
  switch (op) {
    case MeasuredOp::gemm:
      return kGemm;
    case MeasuredOp::attention_prefill:
    case MeasuredOp::attention_decode:
      return kAttention;
    case MeasuredOp::collective:
      return kCollective;
  }
  return {};
}

/// "gemm" for gemm.csv and gemm.csv.gz, nothing for a file that is no table.
std::optional<std::string> stem_of(const std::filesystem::path& file) {
  const std::string name = file.filename().string();
  for (const std::string_view ending : {".csv.gz", ".csv"}) {
    if (name.ends_with(ending)) return name.substr(0, name.size() - ending.size());
  }
  return std::nullopt;
}

std::optional<MeasuredOp> op_called(std::string_view stem) {
  const auto found =
      std::find_if(kOps.begin(), kOps.end(), [&](MeasuredOp op) { return to_string(op) == stem; });
  return found == kOps.end() ? std::nullopt : std::optional(*found);
}

std::optional<double> number_in(const std::string& text) {
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end || !std::isfinite(value)) return std::nullopt;
  return value;
}

/// Puts `text` into the row; what is wrong with it, or "".
std::string put(const Column& column, const std::string& text, Row& row) {
  if (const auto* as_text = std::get_if<std::string Row::*>(&column.target)) {
    if (text.empty() && column.required) return fmt::format("{}: expected a name", column.name);
    row.*(*as_text) = text;
    return "";
  }
  const std::optional<double> value = number_in(text);
  if (const auto* as_number = std::get_if<double Row::*>(&column.target)) {
    if (!value || *value <= 0 || *value > kMostNumber) {
      return fmt::format("{}: expected a positive number, found \"{}\"", column.name, text);
    }
    row.*(*as_number) = *value;
    return "";
  }
  const auto least = static_cast<double>(column.least);
  if (!value || *value < least || *value > static_cast<double>(kMostCount) ||
      *value != std::floor(*value)) {
    return fmt::format("{}: expected a whole number from {} to {}, found \"{}\"", column.name,
                       column.least, kMostCount, text);
  }
  row.*std::get<std::int64_t Row::*>(column.target) = static_cast<std::int64_t>(*value);
  return "";
}

class TableReader {
 public:
  TableReader(std::filesystem::path file, MeasuredOp op, Dataset& into)
      : file_(std::move(file)), lines_(file_, {}, kMostText), op_(op), into_(into) {
    for (const Column& c : kCommon) known_.emplace(c.name, c);
    for (const Column& c : own_columns(op)) known_.emplace(c.name, c);
  }

  void read() {
    while (complaints_.size() < kMostComplaints) {
      const auto line = lines_.next();
      if (!line) break;
      if (line->empty()) continue;
      if (!split_csv(*line, fields_))
        complain(1, "a quote that does not close");
      else if (columns_.empty())
        read_header();
      else
        read_row();
    }
    if (columns_.empty() && complaints_.empty()) complain(1, "expected a line of column names");
    if (!complaints_.empty()) throw InputError(complaints_);
  }

 private:
  void complain(int column, std::string message) {
    complaints_.push_back(lines_.complaint(column, std::move(message)));
  }

  void read_header() {
    std::string ignored;
    for (const std::string& name : fields_.text) {
      const auto known = known_.find(name);
      columns_.push_back(known == known_.end() ? nullptr : &known->second);
      if (known == known_.end() && name != "repo_commit") {
        ignored += (ignored.empty() ? "" : ", ") + name;
      }
    }
    if (!ignored.empty()) {
      into_.notes.push_back(
          fmt::format("{}: ignored columns: {}", file_.filename().string(), ignored));
    }
    for (const auto& [name, column] : known_) {
      const auto times = std::count(columns_.begin(), columns_.end(), &column);
      if (times > 1) complain(1, fmt::format("column {} stands there twice", name));
      if (times == 0 && column.required) complain(1, fmt::format("column {} is missing", name));
    }
  }

  void read_row() {
    if (fields_.text.size() != columns_.size()) {
      return complain(
          1, fmt::format("expected {} fields, found {}", columns_.size(), fields_.text.size()));
    }
    Row row;
    row.op = op_;
    row.seq = op_ == MeasuredOp::attention_decode ? 1 : 0;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      if (columns_[i] == nullptr) continue;
      const std::string fault = put(*columns_[i], fields_.text[i], row);
      if (!fault.empty()) complain(fields_.column[i], fault);
    }
    if (op_ == MeasuredOp::attention_prefill && row.seq == 0) complain(1, "seq: is missing");
    if (row.kind.empty()) row.kind = to_string(op_);
    if (row.kv_dtype.empty()) row.kv_dtype = row.dtype;
    into_.rows.push_back(std::move(row));
  }

  const std::filesystem::path file_;
  Lines lines_;
  const MeasuredOp op_;
  Dataset& into_;
  std::map<std::string, Column, std::less<>> known_;
  std::vector<const Column*> columns_;  // of the file; nullptr: ignored
  std::vector<Diagnostic> complaints_;
  CsvFields fields_;
};

}  // namespace

std::string_view to_string(MeasuredOp op) {
  switch (op) {
    case MeasuredOp::gemm:
      return "gemm";
    case MeasuredOp::attention_prefill:
      return "attention_prefill";
    case MeasuredOp::attention_decode:
      return "attention_decode";
    case MeasuredOp::collective:
      return "collective";
  }
  return "";
}

Dataset read_rows(const std::filesystem::path& folder) {
  std::error_code none;
  if (!std::filesystem::is_directory(folder, none)) {
    throw MissingInput(fmt::format("{}: no folder of measured rows", folder.string()));
  }
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  Dataset data;
  for (const std::filesystem::path& file : files) {
    const std::string name = file.filename().string();
    const std::optional<std::string> stem = stem_of(file);
    const std::optional<MeasuredOp> op = stem ? op_called(*stem) : std::nullopt;
    if (op) {
      TableReader(file, *op, data).read();
    } else if (stem || !(name.starts_with("README") || name.starts_with("LICENSE"))) {
      data.notes.push_back(fmt::format("{}: not an operator's table, left out", name));
    }
  }
  if (data.rows.empty()) {
    throw MissingInput(
        fmt::format("{}: no measured rows; expected gemm.csv, attention_prefill.csv, "
                    "attention_decode.csv or collective.csv, plain or gzipped",
                    folder.string()));
  }
  return data;
}

}  // namespace presil::silicon

#include "serving/load/trace.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/document.h"
#include "base/integers.h"
#include "serving/load/timestamp.h"

namespace presil::serving {
namespace {

constexpr Trace::Names kMooncake = {"timestamp", "input_length", "output_length"};
constexpr std::int64_t kMooncakeBlock = 512;
constexpr std::string_view kEndings[] = {"", ".csv.gz", ".jsonl.gz", ".csv", ".jsonl"};

std::optional<std::int64_t> parse_count(std::string_view text) {
  std::int64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end || value < 0) return std::nullopt;
  return value;
}

std::optional<std::int64_t> parse_nanoseconds(std::string_view text) {
  const auto value = parse_count(text);
  return value && *value < kLongestService.count() ? value : std::nullopt;
}

std::optional<std::int64_t> parse_utc(std::string_view text) {
  const auto time = parse_timestamp(text);
  return time ? std::optional(time->count()) : std::nullopt;
}

}  // namespace

/// A kind of CSV trace: its columns, and how it writes time.
struct Trace::Format {
  Names columns;
  std::optional<std::int64_t> (*parse_arrival)(std::string_view);
  std::string_view arrival_example;
};

const std::array<Trace::Format, 3> Trace::kCsvFormats = {
    {{{"TIMESTAMP", "ContextTokens", "GeneratedTokens"},
      parse_utc,
      "a UTC time such as 2023-11-16 18:17:03.9799600"},
     {{"arrival_ns", "input_tokens", "output_tokens"},
      parse_nanoseconds,
      "nanoseconds, not below zero and under 146 years"},
     {{"", "num_prefill_tokens", "num_decode_tokens"}, nullptr, ""}}};

Trace::Trace(const std::filesystem::path& file, const std::string& name) : lines_(file, name) {
  std::optional<std::string_view> line;
  do {
    line = lines_.next();
  } while (line && line->empty());
  if (!line) refuse({1, 1}, "a trace without requests");
  if (line->starts_with('{')) {
    names_ = kMooncake;
    lines_ = Lines(file, name);  // the first line is a request already
  } else {
    read_header(*line);
  }
}

std::int64_t Trace::prefix_block() const {
  return csv_ == nullptr ? kMooncakeBlock : 0;
}

void Trace::refuse(const Cell& cell, const std::string& message) const {
  throw InputError({lines_.complaint(cell.column, message, cell.length)});
}

void Trace::read_header(std::string_view line) {
  if (!split_csv(line, fields_)) refuse({1, 1}, "a quote that does not close");
  const auto column = [&](std::string_view name) {
    const auto found = std::find(fields_.text.begin(), fields_.text.end(), name);
    return static_cast<std::size_t>(found - fields_.text.begin());
  };
  const auto has = [&](std::string_view name) { return column(name) < fields_.text.size(); };
  const auto known = std::find_if(kCsvFormats.begin(), kCsvFormats.end(), [&](const Format& f) {
    return (!f.columns.arrival.empty() && has(f.columns.arrival)) || has(f.columns.prompt) ||
           has(f.columns.output);
  });
  if (known == kCsvFormats.end()) {
    std::string headers;
    for (const auto& [names, parse, example] : kCsvFormats) {
      headers += fmt::format("'{}{}{},{}', ", names.arrival, names.arrival.empty() ? "" : ",",
                             names.prompt, names.output);
    }
    refuse({1, 1}, fmt::format("no trace: expected a first line {}or a JSON object", headers));
  }
  csv_ = &*known;
  names_ = known->columns;
  const std::array<std::string_view, 3> names = {names_.arrival, names_.prompt, names_.output};
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::string_view name = names[i];
    if (!name.empty() && !has(name)) refuse({1, 1}, fmt::format("column {} is missing", name));
    if (!name.empty() && std::count(fields_.text.begin(), fields_.text.end(), name) > 1) {
      refuse({1, 1}, fmt::format("column {} stands there twice", name));
    }
    columns_[i] = column(name);
  }
  fields_of_header_ = fields_.text.size();
}

void Trace::read_csv(std::string_view line) {
  if (!split_csv(line, fields_)) refuse({1, 1}, "a quote that does not close");
  if (fields_.text.size() != fields_of_header_) {
    refuse({1, 1},
           fmt::format("expected {} fields, found {}", fields_of_header_, fields_.text.size()));
  }
  const auto cell = [&](std::size_t column) {
    return Cell{fields_.column[column], static_cast<int>(fields_.text[column].size())};
  };
  const auto count = [&](std::string_view name, std::size_t column) {
    const std::string& text = fields_.text[column];
    const auto value = parse_count(text);
    if (!value)
      refuse(cell(column), fmt::format("{}: expected a whole number, found \"{}\"", name, text));
    return *value;
  };
  const auto [arrival, prompt, output] = columns_;
  if (has_arrivals()) {
    const auto time = csv_->parse_arrival(fields_.text[arrival]);
    if (!time) {
      refuse(cell(arrival), fmt::format("{}: expected {}, found \"{}\"", names_.arrival,
                                        csv_->arrival_example, fields_.text[arrival]));
    }
    line_.arrival_ns = *time;
    line_.arrival = cell(arrival);
  }
  line_.prompt_tokens = count(names_.prompt, prompt);
  line_.prompt = cell(prompt);
  line_.output_tokens = count(names_.output, output);
  line_.output = cell(output);
}

void Trace::check_tokens(std::string_view name, const Cell& cell, std::int64_t tokens) const {
  if (cell.column == 0) refuse({1, 1}, fmt::format("{} is missing", name));
  if (tokens >= 1 && tokens <= kMostTokens) return;
  refuse(cell, fmt::format("{}: expected 1 to {} tokens, found {}", name, kMostTokens, tokens));
}

void Trace::check_order(std::string_view written) {
  if (requests_ == 0) first_ns_ = line_.arrival_ns;
  if (requests_ > 0 && line_.arrival_ns < last_ns_) {
    refuse(line_.arrival, fmt::format("{}: {} is before {}, when the request above it came",
                                      names_.arrival, written, last_arrival_));
  }
  last_ns_ = line_.arrival_ns;
  last_arrival_ = written;
}

bool Trace::next(TraceRow& row) {
  std::optional<std::string_view> line;
  do {
    line = lines_.next();
  } while (line && line->empty());
  if (!line) {
    if (requests_ == 0) refuse({1, 1}, "a trace without requests");
    return false;
  }
  if (csv_ != nullptr) {
    read_csv(*line);
  } else {
    read_mooncake_line(lines_, *line, line_);
  }
  check_tokens(names_.prompt, line_.prompt, line_.prompt_tokens);
  check_tokens(names_.output, line_.output, line_.output_tokens);
  if (has_arrivals()) {
    const auto [column, length] = line_.arrival;
    if (column == 0) refuse({1, 1}, fmt::format("{} is missing", names_.arrival));
    check_order(csv_ != nullptr ? fields_.text[columns_[0]]
                                : line->substr(static_cast<std::size_t>(column - 1),
                                               static_cast<std::size_t>(length)));
  }
  const auto named = static_cast<std::int64_t>(line_.prefix.size());
  if (named > ceil_div(line_.prompt_tokens, kMooncakeBlock)) {
    refuse(line_.names, fmt::format("hash_ids: {} blocks of {} tokens for a prompt of {}", named,
                                    kMooncakeBlock, line_.prompt_tokens));
  }
  row.arrival = Nanoseconds(has_arrivals() ? last_ns_ - first_ns_ : 0);
  row.prompt_tokens = line_.prompt_tokens;
  row.output_tokens = line_.output_tokens;
  row.prefix.swap(line_.prefix);
  ++requests_;
  return true;
}

TraceSummary summarize(Trace trace, std::int64_t most) {
  TraceSummary sum;
  TraceRow row;
  while (sum.requests < most && trace.next(row)) {
    ++sum.requests;
    sum.prompt_tokens += row.prompt_tokens;
    sum.output_tokens += row.output_tokens;
    sum.span = row.arrival;
  }
  return sum;
}

PerSecond TraceSummary::rate() const {
  if (span.count() == 0) return PerSecond(0);
  return PerSecond(static_cast<double>(requests - 1) / to_seconds(span).count());
}

TraceFile find_trace(const std::string& trace, const std::filesystem::path& home) {
  const std::filesystem::path folder = home / "data" / "traces";
  std::error_code none;
  if (trace.find('/') == std::string::npos) {
    for (const std::string_view ending : kEndings) {
      const std::string file = trace + std::string(ending);
      if (std::filesystem::is_regular_file(folder / file, none)) {
        return {folder / file, "data/traces/" + file};
      }
    }
  }
  if (std::filesystem::is_regular_file(trace, none)) return {trace, trace};
  if (std::filesystem::is_regular_file(home / trace, none)) return {home / trace, trace};

  std::vector<std::string> known;
  for (const auto& entry : std::filesystem::directory_iterator(folder, none)) {
    const std::string file = entry.path().filename().string();
    for (const std::string_view ending : kEndings) {
      if (ending.empty() || !file.ends_with(ending)) continue;
      known.push_back(file.substr(0, file.size() - ending.size()));
    }
  }
  std::sort(known.begin(), known.end());
  const std::string near = nearest(trace, known);
  throw MissingInput(fmt::format("no trace '{}'{}; data/traces has {}", trace,
                                 near.empty() ? "" : fmt::format(" (did you mean '{}'?)", near),
                                 fmt::join(known, ", ")));
}

}  // namespace presil::serving

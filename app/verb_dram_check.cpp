// dram-check: is a log of DRAM commands legal for a part?
#include <filesystem>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/output.h"
#include "base/interrupt.h"
#include "base/progress.h"
#include "base/quantity_text.h"
#include "chip/dram_file.h"
#include "chip/library.h"
#include "dram/check/checker.h"
#include "dram/check/command_log.h"
#include "report/table.h"

namespace presil::app {
namespace {

using dram::Checker;
using dram::LoggedCommand;
using dram::LogHeader;
using dram::LogReader;
using dram::Rule;
using dram::Violation;

/// The rate a log is checked at: the option's, else the log's own, else the part's.
BitsPerSecond rate_of(const LogReader& log, const MemoryPart& part, const std::string& option) {
  BitsPerSecond rate = log.header().rate.value_or(part.rate);
  if (!option.empty()) {
    const auto given = parse_quantity(option, Dimension::bits_per_second);
    if (!given) throw InputError(fmt::format("--rate: {}", given.error()));
    rate = BitsPerSecond(*given);
  }
  const std::string wrong = rate_complaint(part, rate);
  if (!wrong.empty() && !option.empty()) throw InputError("--rate: " + wrong);
  if (!wrong.empty()) throw InputError({log.complaint_at("rate", "rate: " + wrong)});
  return rate;
}

/// A log of another organisation than the part's is of another part, or of the part as --set made
/// it.
void check_organisation(const LogReader& log, const MemoryPart& part) {
  std::vector<Diagnostic> complaints;
  const auto compare = [&](std::string_view key, const std::optional<std::int64_t>& of_log,
                           std::int64_t of_part) {
    if (!of_log || *of_log == of_part) return;
    complaints.push_back(log.complaint_at(
        key,
        fmt::format("{}: expected {}, as {} has; found {} (a log of a part changed by --set is "
                    "checked with the same --set)",
                    key, of_part, part.name, *of_log)));
  };
  const LogHeader& header = log.header();
  compare("pseudo_channels", header.pseudo_channels, part.pseudo_channels);
  compare("banks", header.banks, part.total_banks());
  compare("rows", header.rows, part.rows);
  if (!complaints.empty()) throw InputError(std::move(complaints));
}

/// Gives the whole log to the checker.
void check_log(LogReader& log, Checker& checker, std::int64_t bytes) {
  constexpr std::int64_t kBetweenReports = 1 << 16;
  Progress progress("checking commands (MB)", bytes / 1'000'000);
  std::int64_t reported = 0;
  for (dram::LogEntry entry; log.next(entry);) {
    checker.check(entry.channel, entry.command, log.line());
    if (checker.commands() % kBetweenReports != 0) continue;
    check_interrupt();
    const std::int64_t done = log.bytes_read() / 1'000'000;
    progress.advance(done - reported);
    reported = done;
  }
  checker.finish();
}

Json command_json(const LoggedCommand& c) {
  return {{"tick", c.tick},
          {"pseudo_channel", c.pseudo_channel},
          {"command", to_string(c.command)},
          {"bank", has_bank(c.command) ? Json(c.bank) : Json(nullptr)},
          {"row", has_row(c.command) ? Json(c.row) : Json(nullptr)}};
}

Json violation_json(const Violation& v) {
  return {{"line", v.line},
          {"channel", v.channel},
          {"pseudo_channel", v.second.pseudo_channel},
          {"rule", to_string(v.rule)},
          {"required_ticks", v.required},
          {"found_ticks", v.found},
          {"first", v.first ? command_json(*v.first) : Json(nullptr)},
          {"second", command_json(v.second)}};
}

std::string command_text(const LoggedCommand& c) {
  std::string text = fmt::format("{} at {}", to_string(c.command), c.tick);
  if (has_bank(c.command)) text += fmt::format(", bank {}", c.bank);
  if (has_row(c.command)) text += fmt::format(", row {}", c.row);
  return text;
}

/// The notes of a check: what a reader of "legal" should know.
std::vector<std::string> notes_of(const LogReader& log, const MemoryPart& part,
                                  const Checker& checker, bool rate_given) {
  std::vector<std::string> notes;
  if (!log.header().part.empty() && log.header().part != part.name) {
    notes.push_back(fmt::format("the log says it is of {}", log.header().part));
  }
  if (!log.header().rate && !rate_given) {
    notes.push_back(
        fmt::format("the log names no rate: checked at {}, the part's own", to_string(part.rate)));
  }
  if (checker.refreshes() == 0) {
    notes.push_back("no refresh in the whole log: taken to be off, and not checked");
  }
  if (checker.idle_precharges() > 0) {
    notes.push_back(fmt::format("{} PRE found no row to shut: legal", checker.idle_precharges()));
  }
  return notes;
}

void print_violations(const std::string& log, const Checker& checker) {
  constexpr std::size_t kShown = 20;
  const auto& kept = checker.violations().kept();
  Table table({{"line", Align::right},
               {"channel", Align::right},
               {"rule"},
               {"needs", Align::right},
               {"found", Align::right},
               {"first"},
               {"second"}});
  for (std::size_t i = 0; i < std::min(kShown, kept.size()); ++i) {
    const Violation& v = kept[i];
    const bool timed = v.required != 0 || v.found != 0;
    table.add({std::to_string(v.line), fmt::format("{}.{}", v.channel, v.second.pseudo_channel),
               Cell(std::string(to_string(v.rule)), Tone::bad),
               timed ? std::to_string(v.required) : "", timed ? std::to_string(v.found) : "",
               v.first ? command_text(*v.first) : "", command_text(v.second)});
  }
  fmt::print("{}", table.render(colour()));
  if (kept.size() > kShown) {
    fmt::print("... {} more; --json lists the first {}\n",
               checker.violations().count() - static_cast<std::int64_t>(kShown),
               dram::Violations::kKept);
  }
  Table rules({{"rule"}, {"violations", Align::right}});
  for (int r = 0; r < dram::kRules; ++r) {
    const std::int64_t count = checker.violations().count(static_cast<Rule>(r));
    if (count > 0) rules.add({std::string(to_string(static_cast<Rule>(r))), std::to_string(count)});
  }
  fmt::print("\n{}\n{}: {} commands, {} violations\n", rules.render(colour()), log,
             checker.commands(), checker.violations().count());
}

}  // namespace

int dram_check_verb(const Common& common, const std::string& log_file, const std::string& part_name,
                    const std::string& rate_option) {
  const MemoryPart part = load_part(part_name, common.set, common.places.home);
  LogReader log(log_file);
  check_organisation(log, part);
  const BitsPerSecond rate = rate_of(log, part, rate_option);
  Checker checker(part, rate,
                  static_cast<int>(log.header().channels.value_or(LogReader::kMostChannels)));
  std::error_code not_a_file;
  const auto size = std::filesystem::file_size(log_file, not_a_file);
  check_log(log, checker, not_a_file ? 0 : static_cast<std::int64_t>(size));

  const dram::Violations& violations = checker.violations();
  const std::vector<std::string> notes = notes_of(log, part, checker, !rate_option.empty());
  if (common.json) {
    Json list = Json::array();
    for (const Violation& v : violations.kept()) list.push_back(violation_json(v));
    Json by_rule = Json::object();
    for (int r = 0; r < dram::kRules; ++r) {
      const std::int64_t count = violations.count(static_cast<Rule>(r));
      if (count > 0) by_rule[std::string(to_string(static_cast<Rule>(r)))] = count;
    }
    print_json(common, {{"schema", "presil/dram-check/1"},
                        {"part", part.name},
                        {"rate_gbps", rate.count() / 1e9},
                        {"commands", checker.commands()},
                        {"refreshes", checker.refreshes()},
                        {"idle_precharges", checker.idle_precharges()},
                        {"violation_count", violations.count()},
                        {"by_rule", by_rule},
                        {"violations", list},
                        {"notes", notes}});
  } else {
    if (violations.count() > 0) {
      print_violations(log_file, checker);
    } else {
      fmt::print("{}: {} commands, legal for {} at {}\n", log_file, checker.commands(), part.name,
                 to_string(rate));
    }
    for (const std::string& note : notes) fmt::print("note: {}\n", note);
  }
  return violations.count() > 0 ? 1 : 0;
}

}  // namespace presil::app

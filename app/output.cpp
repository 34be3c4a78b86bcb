#include "app/output.h"

#include <cstdio>

#include <fmt/format.h>
#include <sys/resource.h>
#include <nlohmann/json.hpp>

#include "app/quality_text.h"
#include "base/cpu_time.h"
#include "base/quantity_text.h"
#include "base/terminal.h"
#include "chip/derived.h"
#include "chip/dram_shape.h"
#include "explore/steps.h"
#include "report/table.h"
#include "report/text_width.h"

namespace presil::app {
namespace {

std::string duration_text(double seconds) {
  return format_quantity(seconds, Dimension::seconds);
}

std::string rate_text(double per_second) {
  return per_second >= 1000 ? fmt::format("{:.0f}", per_second) : fmt::format("{:.1f}", per_second);
}

std::string percent(double share) {
  return fmt::format("{:.0f} %", 100 * share);
}

/// "sram 81 %, launch 12 %": the two largest charges.
std::string bound_text(const Timeline& t) {
  Charges charges = t.charges;
  std::string text;
  for (int i = 0; i < 2; ++i) {
    const Resource r = largest(charges);
    Picoseconds& charge = charges[static_cast<std::size_t>(r)];
    const double share = static_cast<double>(charge.count()) / static_cast<double>(t.total.count());
    if (share < 0.005) break;
    text += fmt::format("{}{} {}", i == 0 ? "" : ", ", to_string(r), percent(share));
    charge = Picoseconds(-1);
  }
  return text;
}

/// What low and high of the times stand on.
std::string uncertainty_text(const ErrorModel& errors) {
  std::string text = "low to high holds eight of ten ";
  switch (errors.nearness()) {
    case kernels::Nearness::fitted:
      text += "measured kernels of this chip";
      break;
    case kernels::Nearness::generation:
      text += "kernels, by those measured on a chip with the same matrix engines and held back";
      break;
    case kernels::Nearness::unseen:
      text += "kernels, by those measured on a chip of another generation and held back";
      break;
    case kernels::Nearness::unmeasured:
      text += "kernels at a guess: nobody measured a chip like this (docs/accuracy.md)";
      break;
  }
  std::string rates;
  for (const Resource r : errors.estimated()) {
    rates += fmt::format("{}{}", rates.empty() ? "" : ", ", to_string(r));
  }
  return rates.empty() ? text : text + "; rates that are estimates: " + rates;
}

void add_phases(Table& table, const RunResult& r) {
  for (const PhaseResult& p : r.phases) {
    const double time = to_seconds(p.timeline.total).count();
    const auto line = static_cast<double>(p.line());
    const double bandwidth = static_cast<double>(p.timeline.dram_bytes.count()) / time / line;
    const double chips = static_cast<double>(chips_of(r.request)) / line;
    const TimeBand band = r.errors.of(p);
    const bool priced = r.token_price && p.name == "decode";
    table.add(
        {r.model.name, p.name, std::to_string(p.tokens), duration_text(time),
         fmt::format("{} to {}", duration_text(time * band.low), duration_text(time * band.high)),
         rate_text(tokens_per_second(p)), Cell(bound_text(p.timeline), Tone::strong),
         format_quantity(bandwidth, Dimension::bytes_per_second),
         percent(bandwidth / p.timeline.dram_peak.count()),
         format_quantity(p.energy.total().typical * chips, Dimension::joules),
         fmt::format("{:.0f} W", mean_power(p).count()),
         priced ? fmt::format("{:.3f}", r.token_price->usd_per_mtoken.typical) : ""});
  }
}

Table phase_columns() {
  return Table({{"model"},
                {"phase"},
                {"tokens", Align::right},
                {"time", Align::right},
                {"low to high", Align::right},
                {"tokens/s", Align::right},
                {"bound by"},
                {"DRAM", Align::right},
                {"of peak", Align::right},
                {"energy", Align::right},
                {"power", Align::right},
                {"USD/Mtoken", Align::right}});
}

}  // namespace

bool colour() {
  return terminal_of(1).colour;
}

void print_json(const Common& common, Json json) {
  if (common.host) {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    json["host"]["cpu_s"] = cpu_seconds();
    json["host"]["peak_rss_bytes"] = usage.ru_maxrss * 1024;
  }
  fmt::print("{}\n", json.dump(2, ' ', false, Json::error_handler_t::replace));
}

std::string phase_table(const std::vector<RunResult>& results, bool colour) {
  Table table = phase_columns();
  for (const RunResult& r : results) {
    if (&r != &results.front()) table.add_rule();
    add_phases(table, r);
  }
  return table.render(colour);
}

std::string describe(const RunResult& r, bool colour) {
  const Architecture& m = r.model;
  const Chip& chip = r.chip.chip;
  std::string text = fmt::format(
      "model    {}: {} layers, d_model {}, heads {}/{}, {:.2f} B parameters, {}\n", m.name,
      m.n_layers, m.d_model, m.n_heads, m.n_kv_heads, static_cast<double>(parameter_count(m)) / 1e9,
      r.weight_formats.empty() ? std::string(to_string(m.dtype)) : r.weight_formats);
  text += fmt::format("chip     {}{}: {} cores at {}, {} of {}, numerics {}\n",
                      chips_of(r.request) > 1 ? fmt::format("{} x ", chips_of(r.request)) : "",
                      chip.name, chip.core.count, to_string(chip.core.clock),
                      to_string(peak_bandwidth(r.chip.memory, chip.dram)), r.chip.memory.name,
                      r.numerics.name);
  if (r.text) {
    std::string continuation;
    for (const std::string& piece : r.text->pieces) continuation += piece;
    text += fmt::format("text     {}|{}\n", printable(r.text->prompt), printable(continuation));
  }
  if (r.quality) text += quality_text(*r.quality, colour);
  if (r.phases.empty()) return text;

  Table table = phase_columns();
  add_phases(table, r);
  text += "\n" + table.render(colour) + "\n";
  if (chips_of(r.request) > 1) {
    text += "note     DRAM and power are those of one chip, energy and price those of all\n";
  }
  for (const PhaseResult& p : r.phases) {
    if (!p.stages.empty()) {
      text += fmt::format(
          "note     {}: a microbatch passes {} stages in {}; {} of them are on their way\n", p.name,
          p.stages.size(), duration_text(to_seconds(p.latency).count()), p.microbatches);
    }
    if (p.clock < 1) {
      text += fmt::format("note     {}: the power limit of {} holds the clock at {}\n", p.name,
                          to_string(chip.power.limit), percent(p.clock));
    }
  }
  text += fmt::format("error    {}\n", uncertainty_text(r.errors));
  text += fmt::format("cost     {:.0f} USD a chip ({:.0f} to {:.0f})", r.price.usd_per_chip.typical,
                      r.price.usd_per_chip.low, r.price.usd_per_chip.high);
  if (r.token_price) {
    const Band& b = r.token_price->usd_per_mtoken;
    text += fmt::format(", {:.3f} USD a million tokens ({:.3f} to {:.3f}){}", b.typical, b.low,
                        b.high, r.token_price->at_market_price ? ", bought at market price" : "");
  }
  text += "\n";
  std::size_t estimates = 0;
  for (const InputValue& v : r.chip.inputs) {
    estimates += v.source && v.source->confidence == Confidence::estimate ? 1 : 0;
  }
  text += fmt::format("inputs   {} values, {} of them estimates (presil show {})\n",
                      r.chip.inputs.size(), estimates, r.request.chip);
  return text;
}

std::string describe(const Infeasible& answer) {
  return fmt::format("no: {}\n    what would do: {}\n", answer.reason, answer.remedy);
}

int answer_no(const Common& common, const RunRequest& request, const Infeasible& answer) {
  if (common.json) {
    print_json(common, to_json(request, answer));
  } else {
    fmt::print("{}", describe(answer));
  }
  return 1;
}

}  // namespace presil::app

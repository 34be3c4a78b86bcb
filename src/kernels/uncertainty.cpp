#include "kernels/uncertainty.h"

#include <algorithm>
#include <array>
#include <optional>
#include <span>

#include <fmt/format.h>

#include "base/document.h"
#include "base/fields.h"

namespace presil::kernels {
namespace {

constexpr std::string_view kHead =
    "# Measured over predicted time: eight of ten rows lie from low to high. Written by\n"
    "# `presil verify silicon --write-docs`. fitted: shapes held back, five-fold, on the fitted\n"
    "# chips. unseen: a fitted chip held back whole; of a type that one chip alone has, as much "
    "wider\n"
    "# than fitted as the types of both chips are. generation: the geometric mean of both. "
    "unmeasured,\n"
    "# of chips without a kernel library: the square of unseen. All but fitted are estimates: "
    "two\n"
    "# chips are fitted, of one generation each.\n";

constexpr std::array<Choice<Regime>, 4> kRegimes = {{{"launch", Regime::launch},
                                                     {"memory", Regime::memory},
                                                     {"compute", Regime::compute},
                                                     {"link", Regime::link}}};
constexpr std::array<Choice<Nearness>, 4> kNearness = {{{"fitted", Nearness::fitted},
                                                        {"generation", Nearness::generation},
                                                        {"unseen", Nearness::unseen},
                                                        {"unmeasured", Nearness::unmeasured}}};
constexpr std::array<std::string_view, 4> kLaws = {"gemm", "prefill", "decode", "collective"};

template <class E>
std::string_view name_of(std::span<const Choice<E>> choices, E value) {
  for (const Choice<E>& c : choices) {
    if (c.value == value) return c.name;
  }
  return "";
}

/// The widest of several bands: as much as any of them allows.
std::optional<ErrorBand> widest(const std::map<std::string, ErrorBand>& bands) {
  std::optional<ErrorBand> result;
  for (const auto& [type, band] : bands) {
    if (!result) result = band;
    result->low = std::min(result->low, band.low);
    result->high = std::max(result->high, band.high);
    result->rows = std::min(result->rows, band.rows);
  }
  return result;
}

ErrorBand read_band(Fields& f) {
  ErrorBand band;
  band.low = f.number("low", "of measured over predicted, the 10th percentile", {0.01, 100});
  band.high = f.number("high", "the 90th percentile", {0.01, 100});
  band.rows = f.number_or("rows", "that it stands on", 0);
  f.require(band.low <= band.high, "low", "is above high");
  return band;
}

void read_law(Fields& law, std::string_view name, Uncertainty& into) {
  for (const auto& nearness : kNearness) {
    law.maybe_map(nearness.name, "how near the chip is to the fitted ones", [&](Fields& near) {
      for (const auto& regime : kRegimes) {
        if (!near.has(regime.name)) continue;
        for (const auto& [type, band] :
             near.maps_by_name(regime.name, "by type, {low, high, rows}", read_band)) {
          into.set(name, type, regime.value, nearness.value, band);
        }
      }
      return 0;
    });
  }
}

}  // namespace

std::string_view to_string(Regime regime) {
  return name_of<Regime>(kRegimes, regime);
}

std::string_view to_string(Nearness nearness) {
  return name_of<Nearness>(kNearness, nearness);
}

Regime regime_of(const Terms& terms, double dram_us, Regime engine) {
  const double drawn = dram_us / terms.dram_share;
  const double body = norm(terms.work, drawn, terms.overlap);
  const double launch = total_us(terms, dram_us) - body - terms.after;
  const bool memory = drawn > terms.work;
  const double busy = terms.after + (memory ? 0 : body);
  if (launch > std::max(busy, memory ? body : 0)) return Regime::launch;
  return memory && body >= busy ? Regime::memory : engine;
}

Nearness Uncertainty::nearness_of(std::span<const std::string> names, const std::string& generation,
                                  bool changed) const {
  for (const std::string& name : names) {
    if (fitted.contains(name) && !changed) return Nearness::fitted;
  }
  const bool known = std::any_of(fitted.begin(), fitted.end(),
                                 [&](const auto& chip) { return chip.second == generation; });
  return known ? Nearness::generation : Nearness::unseen;
}

void Uncertainty::set(std::string_view law, std::string_view type, Regime regime, Nearness nearness,
                      ErrorBand band) {
  bands_[std::string(law)][nearness][regime][std::string(type)] = band;
}

ErrorBand Uncertainty::band_of(std::string_view law, const std::string& type, Regime regime,
                               Nearness nearness) const {
  const auto of_law = bands_.find(std::string(law));
  if (of_law == bands_.end()) return {};
  const auto by_regime = of_law->second.find(nearness);
  if (by_regime == of_law->second.end()) return {};
  const auto by_type = by_regime->second.find(regime);
  if (by_type != by_regime->second.end()) {
    const auto own = by_type->second.find(type);
    return own != by_type->second.end() ? own->second : *widest(by_type->second);
  }
  std::map<std::string, ErrorBand> all;
  for (const auto& [other, bands] : by_regime->second) {
    all.emplace(to_string(other), *widest(bands));
  }
  return *widest(all);
}

Uncertainty read_uncertainty(const std::filesystem::path& file) {
  const Node root = read_document(file, Syntax::yaml);
  Diagnostics log;
  Fields fields(root, "", log);
  read_header(fields, "uncertainty");
  Uncertainty result;
  if (fields.has("fitted")) {
    for (auto& [chip, generation] :
         fields.maps_by_name("fitted", "by chip, {generation}", [](Fields& f) {
           return f.text("generation", "of its matrix engines' instructions");
         })) {
      result.fitted[chip] = std::move(generation);
    }
  }
  for (const std::string_view name : kLaws) {
    fields.maybe_map(name, "a law", [&](Fields& law) {
      read_law(law, name, result);
      return 0;
    });
  }
  fields.finish();
  log.throw_if_any();
  return result;
}

std::string print_uncertainty(const Uncertainty& uncertainty) {
  std::string text(kHead);
  text += "presil: uncertainty/1\n";
  if (!uncertainty.fitted.empty()) text += "fitted:\n";
  for (const auto& [chip, generation] : uncertainty.fitted) {
    text += fmt::format("  {}: {{generation: {}}}\n", chip, generation);
  }
  for (const auto& [law, by_nearness] : uncertainty.all()) {
    text += fmt::format("\n{}:\n", law);
    for (const auto& [nearness, by_regime] : by_nearness) {
      text += fmt::format("  {}:\n", to_string(nearness));
      for (const auto& [regime, by_type] : by_regime) {
        text += fmt::format("    {}:\n", to_string(regime));
        for (const auto& [type, band] : by_type) {
          text += fmt::format("      {}: {{low: {:.3f}, high: {:.3f}, rows: {:.0f}}}\n", type,
                              band.low, band.high, band.rows);
        }
      }
    }
  }
  return text;
}

}  // namespace presil::kernels

#include "silicon/cases.h"

#include <algorithm>
#include <mutex>
#include <numeric>
#include <optional>
#include <string_view>

#include <fmt/format.h>

#include "base/document.h"
#include "base/error.h"
#include "base/parallel.h"
#include "base/progress.h"

namespace presil::silicon {
namespace {

constexpr std::size_t kChunk = 256;  // rows a thread takes at a time

/// FNV-1a over fields, each ended by a zero, then mixed so that all bits count.
class Hash {
 public:
  Hash& add(std::string_view text) {
    for (const char c : text) byte(static_cast<unsigned char>(c));
    byte(0);
    return *this;
  }
  Hash& add(std::int64_t number) { return add(fmt::format("{}", number)); }
  std::uint64_t value() const {
    std::uint64_t x = state_;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
    return x ^ (x >> 31);
  }

 private:
  void byte(unsigned char b) { state_ = (state_ ^ b) * 0x100000001b3U; }
  std::uint64_t state_ = 0xcbf29ce484222325U;
};

/// Keeps the `sample` rows with the smallest hashes, in their order.
void keep_sample(std::vector<Row>& rows, std::size_t sample) {
  if (sample == 0 || rows.size() <= sample) return;
  std::vector<std::pair<std::uint64_t, std::size_t>> order;
  for (std::size_t i = 0; i < rows.size(); ++i) order.emplace_back(hash_of(rows[i]), i);
  // Rows that differ in their time alone must not depend on the order of the file.
  const auto less = [&](const auto& a, const auto& b) {
    return std::pair(a.first, rows[a.second].latency_us) <
           std::pair(b.first, rows[b.second].latency_us);
  };
  std::nth_element(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(sample - 1),
                   order.end(), less);
  std::vector<bool> kept(rows.size(), false);
  for (std::size_t i = 0; i < sample; ++i) kept[order[i].second] = true;
  std::size_t to = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (kept[i] && to != i) rows[to] = std::move(rows[i]);
    to += kept[i] ? 1 : 0;
  }
  rows.resize(to);
}

/// Networks are read once each.
class Networks {
 public:
  explicit Networks(std::filesystem::path home) : home_(std::move(home)) {}
  ScaleOut operator()(const std::string& name) {
    const std::lock_guard lock(mutex_);
    const auto known = known_.find(name);
    if (known != known_.end()) return known->second;
    const auto file = home_ / "networks" / (name + ".yaml");
    return known_.emplace(name, read_scale_out(read_document(file, Syntax::yaml, home_)))
        .first->second;
  }

 private:
  const std::filesystem::path home_;
  std::mutex mutex_;
  std::map<std::string, ScaleOut> known_;
};

constexpr double kShortUs = 20;  // below it launches decide; shown apart
constexpr double kShortWeight = 0.25;

/// Every chip, engine and type weighs the same, however many rows it has, so that constants suit
/// all of them; short rows count a quarter.
std::vector<double> weights_of(const std::vector<const Case*>& cases) {
  const auto group = [](const Case& c) {
    return std::tuple(c.row->chip, c.law.situation.engine, c.law.situation.type);
  };
  std::map<std::tuple<std::string, std::string, std::string>, double> rows;
  for (const Case* c : cases) ++rows[group(*c)];
  std::vector<double> weights;
  for (const Case* c : cases) {
    weights.push_back((c->row->latency_us < kShortUs ? kShortWeight : 1) / rows[group(*c)]);
  }
  return weights;
}

/// The problem without its prediction; `situation_of` says what each case's constants go by.
template <class SituationOf>
FitProblem problem_over(kernels::LawInfo law, const std::vector<const Case*>& cases,
                        SituationOf situation_of) {
  FitProblem problem;
  problem.law = law;
  std::map<kernels::Situation, std::size_t> known;
  for (const Case* c : cases) {
    const kernels::Situation situation = situation_of(*c);
    const auto [at, fresh] = known.try_emplace(situation, problem.situations.size());
    if (fresh) problem.situations.push_back(situation);
    problem.situation_of.push_back(at->second);
    problem.measured_us.push_back(c->row->latency_us);
  }
  return problem;
}

std::variant<Case, std::string> case_of(const Row& row, const MeasuredChip& chip,
                                        const NetworkByName& networks) {
  Case c{&row, &chip, {}, 0, {}, demand_of(row, chip.machine), hash_of(row)};
  if (!chip.has_laws() && row.op != MeasuredOp::collective) {
    const auto time = tiles_time(row, chip);
    if (const auto* reason = std::get_if<std::string>(&time)) return *reason;
    c.tiles = std::get<RowTime>(time);
    c.dram_us = c.demand.dram_us;
    c.law.situation = {row.backend, row.dtype, chip.machine.generation, ""};
    return c;
  }
  auto law = law_row(row, chip, networks);
  if (auto* reason = std::get_if<std::string>(&law)) return std::move(*reason);
  c.law = std::get<LawRow>(std::move(law));
  c.dram_us = chip.dram->us(c.law.traffic);
  return c;
}

}  // namespace

Cases::Cases(Dataset data, std::int64_t sample, std::filesystem::path home)
    : data_(std::move(data)), chips_(std::make_unique<MeasuredChips>(home)) {
  keep_sample(data_.rows, static_cast<std::size_t>(sample));
  const std::vector<Row>& rows = data_.rows;
  std::vector<MeasuredChip*> chip_of(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) chip_of[i] = chips_->find(rows[i].chip);

  Progress progress("memory of measured rows", static_cast<std::int64_t>(rows.size()));
  Networks networks(home);
  const NetworkByName network = [&](const std::string& name) { return networks(name); };
  std::vector<std::optional<Case>> judged(rows.size());
  std::vector<std::string> reasons(rows.size());
  parallel_each((rows.size() + kChunk - 1) / kChunk, [&](std::size_t chunk) {
    const std::size_t end = std::min(rows.size(), (chunk + 1) * kChunk);
    for (std::size_t i = chunk * kChunk; i < end; ++i) {
      if (chip_of[i] == nullptr) {
        reasons[i] = fmt::format("no chip file has the alias {}", rows[i].chip);
        continue;
      }
      auto made = case_of(rows[i], *chip_of[i], network);
      if (auto* reason = std::get_if<std::string>(&made)) {
        reasons[i] = std::move(*reason);
      } else {
        judged[i] = std::get<Case>(std::move(made));
      }
    }
    progress.advance(static_cast<std::int64_t>(end - chunk * kChunk));
  });
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (judged[i]) {
      cases_.push_back(std::move(*judged[i]));
    } else {
      const Row& r = rows[i];
      ++skipped_[{std::string(to_string(r.op)), r.kind, r.chip, r.dtype, r.kv_dtype, r.backend,
                  reasons[i]}];
    }
  }
}

std::uint64_t hash_of(const Row& r) {
  Hash h;
  h.add(to_string(r.op)).add(r.source).add(r.chip).add(r.backend).add(r.backend_version);
  h.add(r.kernel).add(r.kind).add(r.dtype).add(r.kv_dtype);
  for (const std::int64_t n : {r.m, r.n, r.k, r.batch, r.seq, r.context, r.heads, r.kv_heads,
                               r.head_dim, r.window, r.tp}) {
    h.add(n);
  }
  return h.add(fmt::format("{}", r.bytes)).value();
}

std::uint64_t family_of(const Row& r) {
  Hash h;
  h.add(to_string(r.op));
  switch (r.op) {
    case MeasuredOp::gemm:
      return h.add(r.n).add(r.k).value();
    case MeasuredOp::attention_prefill:
    case MeasuredOp::attention_decode:
      return h.add(r.heads).add(r.kv_heads).add(r.head_dim).add(r.window).value();
    case MeasuredOp::collective:
      return h.add(r.kind).add(r.tp).add(r.kernel).value();
  }
  return 0;
}

bool is_host_time(const Row& r) {
  if (r.op == MeasuredOp::gemm) return r.dtype == "fp8_block" && r.backend == "vllm";
  return r.op == MeasuredOp::collective && r.kernel.find("eager") != std::string::npos;
}

RowTime time_of(const Case& c, kernels::Constants constants) {
  if (c.tiles) return *c.tiles;
  const kernels::Terms terms = c.law.terms(constants, c.dram_us);
  const kernels::Regime engine =
      c.row->op == MeasuredOp::collective ? kernels::Regime::link : kernels::Regime::compute;
  return {kernels::total_us(terms, c.dram_us), kernels::regime_of(terms, c.dram_us, engine)};
}

FitProblem law_problem(const std::vector<const Case*>& cases) {
  CHECK(!cases.empty(), "a fit has rows");
  FitProblem problem = problem_over(law_of(cases.front()->row->op), cases,
                                    [](const Case& c) { return c.law.situation; });
  problem.weight = weights_of(cases);
  problem.predict = [cases](std::size_t i, kernels::Constants constants) {
    return time_of(*cases[i], constants).us;
  };
  return problem;
}

FitProblem roofline_problem(const std::vector<const Case*>& cases) {
  FitProblem problem = problem_over(roofline_law(), cases, [](const Case& c) {
    return kernels::Situation{"", c.law.situation.type, "", ""};
  });
  problem.predict = [cases](std::size_t i, kernels::Constants constants) {
    return roofline_us(cases[i]->demand, constants);
  };
  return problem;
}

}  // namespace presil::silicon

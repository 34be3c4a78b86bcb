#include "explore/numerics_table.h"

#include <algorithm>
#include <memory>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/interrupt.h"
#include "base/parallel.h"
#include "base/progress.h"
#include "chip/derived.h"
#include "explore/calibrated.h"
#include "explore/prepare.h"
#include "explore/quality.h"
#include "model/tokenizer.h"

namespace presil {
namespace {

/// One set of numerics on its way through the text.
struct Row {
  std::string name;
  std::optional<RunResult> run;
  Program program;  // of `run`, for values
  Calibration calibration;
  std::unique_ptr<Reading> reading;
  Comparer comparer;
  std::string reason;  // why there are no values
};

/// The sets of home/numerics with the reference first, then what the user adds.
std::vector<std::string> names_of(const NumericsTableRequest& request, const Places& places) {
  std::vector<std::string> names = {kReferenceNumerics};
  std::vector<std::string> others = names_in(places.home / "numerics");
  if (!request.run.numerics.empty()) others.push_back(request.run.numerics);
  for (std::string& name : others) {
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  return names;
}

void check_settings(const RunRequest& request) {
  for (const std::string& set : request.overrides) {
    if (!set.starts_with("numerics.")) continue;
    throw InputError(fmt::format(
        "--set {}: the named numerics are compared as they are; give a file with --numerics", set));
  }
}

/// Runs `step`; what the set cannot do becomes its row's reason.
template <class Step>
void attempt(Row& row, Step step) {
  if (!row.reason.empty()) return;
  try {
    step();
  } catch (const InputError& e) {
    row.reason = e.what();
  }
  if (!row.reason.empty()) row.reading.reset();
}

void begin(Row& row, const NumericsTableRequest& request, const Places& places,
           std::optional<Weights>& weights) {
  attempt(row, [&] {
    RunRequest wanted = request.run;
    wanted.numerics = row.name;
    wanted.mode = Mode::values;
    auto prepared = prepare(wanted, places, weights);
    if (!prepared) {
      row.reason = prepared.error().reason;
      return;
    }
    row.run = std::move(*prepared);
    row.program = row.run->program;
    row.program.dram_capacity = kAnyCapacity;  // quality is asked for where there is no room, too
    row.calibration = calibration_for(row.program, *weights, places.home);
    row.reading = std::make_unique<Reading>(row.program, *weights, row.calibration);
  });
}

void read_text_with(std::vector<Row>& rows, std::span<const int> tokens) {
  Progress progress("tokens read", std::ssize(tokens) * std::ssize(rows));
  for (std::size_t at = 0; at < tokens.size(); at += kChunk) {
    const auto chunk = tokens.subspan(at, std::min(kChunk, tokens.size() - at));
    std::vector<float> reference;
    for (Row& row : rows) {
      attempt(row, [&] {
        auto logits = row.reading->next(chunk);
        if (!logits) {
          row.reason = logits.error().reason;
          return;
        }
        if (reference.empty()) reference = *logits;  // the first row is the reference
        add_chunk(row.comparer, *logits, reference, tokens.subspan(at + 1), chunk.size());
      });
      progress.advance(std::ssize(chunk), row.name);
    }
  }
}

/// The bytes of all weights of the model, with their scales: over all chips.
std::int64_t weight_bytes(const Program& program) {
  std::int64_t bytes = 0;
  for (std::size_t t = 0; t < program.tensors.size(); ++t) {
    const Tensor& tensor = program.tensors[t];
    if (tensor.role != Role::weight) continue;
    std::int64_t layers = 0;
    for (const Block& block : program.blocks) {
      const bool reads =
          std::any_of(block.kernels.begin(), block.kernels.end(), [&](const Kernel& k) {
            return std::count(k.weights.begin(), k.weights.end(), static_cast<int>(t)) > 0;
          });
      if (reads) layers = is_in_layers(tensor.name) ? layers + block.repeat : 1;
    }
    bytes += layers * tensor.bytes(tensor.rows.scale).count();
  }
  return bytes * program.tensor_parallel;
}

const Kernel* first_product(const Program& program) {
  for (const Block& block : program.blocks) {
    for (const Kernel& kernel : block.kernels) {
      if (kernel.op == Op::gemm) return &kernel;
    }
  }
  return nullptr;
}

std::string operand_text(const std::optional<Operand>& operand, std::string_view otherwise) {
  if (!operand) return std::string(otherwise);
  if (operand->scaling == Scaling::none) return std::string(to_string(operand->format));
  return fmt::format("{}/{}", to_string(operand->format), to_string(operand->scaling));
}

Json speed_json(const RunResult& prepared, const Places& places) {
  const auto timed = time_run(prepared, places);
  if (!timed) return {{"no_speed", timed.error().reason}};
  Json json;
  for (const PhaseResult& p : timed->phases) {
    json[p.name + "_tokens_per_s"] = tokens_per_second(p);
    json[p.name + "_bound_by"] = to_string(p.timeline.bound_by);
    if (p.name != "decode") continue;
    json["energy_j_per_token"] = p.energy.total().typical *
                                 static_cast<double>(timed->request.tensor_parallel) /
                                 static_cast<double>(p.tokens);
  }
  return json;
}

Json row_json(const Row& row, const Places& places) {
  Json json = {{"name", row.name}, {"status", row.reason.empty() ? "ok" : "refused"}};
  if (!row.reason.empty()) {
    json["reason"] = row.reason;
    return json;
  }
  const RunResult& r = *row.run;
  const Comparison c = row.comparer.result();
  const ProductNumerics& products = r.numerics.products;
  json["weights"] = operand_text(products.weights, "as stored");
  json["activations"] = operand_text(products.activations, "ggml");
  json["weight_bytes"] = weight_bytes(r.program);
  json["bits_per_weight"] = 8 * static_cast<double>(weight_bytes(r.program)) /
                            static_cast<double>(parameter_count(r.model));
  json["perplexity"] = c.perplexity;
  json["mean_kl"] = c.mean_kl;
  json["max_kl"] = c.max_kl;
  json["top1_agreement"] = c.top1_agreement;
  json["multiply"] = to_string(first_product(r.program)->multiply);
  const std::string why = why_not_native(r.program, r.chip.chip);
  json.update(why.empty() ? speed_json(r, places) : Json{{"no_speed", why}});
  return json;
}

}  // namespace

std::string why_not_native(const Program& program, const Chip& chip) {
  const Kernel* product = first_product(program);
  CHECK(product != nullptr, "a model has products");
  const auto& activations = program.numerics.products.activations;
  const Format stored = program.tensor(product->weights.front()).format;
  const Format own = activations               ? activations->format
                     : is_block_format(stored) ? Format::int8  // what ggml's blocks hold
                                               : product->multiply;
  if (peak_flops(chip, own).count() > 0) return "";
  return fmt::format("{} does not multiply {}", chip.name, to_string(own));
}

std::vector<std::size_t> quality_front(const Json& rows) {
  const auto figures = [&](std::size_t i) -> std::optional<std::pair<double, double>> {
    const Json& row = rows[i];
    if (!row.contains("mean_kl") || !row.contains("decode_tokens_per_s")) return std::nullopt;
    return std::pair{row["mean_kl"].get<double>(), -row["decode_tokens_per_s"].get<double>()};
  };
  std::vector<std::size_t> front;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto mine = figures(i);
    if (!mine) continue;
    bool beaten = false;
    for (std::size_t j = 0; j < rows.size(); ++j) {
      const auto other = figures(j);
      beaten |=
          other && *other != *mine && other->first <= mine->first && other->second <= mine->second;
    }
    if (!beaten) front.push_back(i);
  }
  return front;
}

Feasible<Json> numerics_table(const NumericsTableRequest& request, const Places& places) {
  check_settings(request.run);
  std::vector<Row> rows;
  for (std::string& name : names_of(request, places)) rows.emplace_back().name = std::move(name);

  std::optional<Weights> weights;
  RunRequest reference = request.run;
  reference.numerics = kReferenceNumerics;
  reference.mode = Mode::values;
  const auto first = prepare(reference, places, weights);  // complains about chip and model
  if (!first) return tl::unexpected(first.error());
  const std::filesystem::path text =
      request.text.empty() ? places.home / "data/quality.txt" : request.text;
  const std::vector<int> tokens =
      read_tokens(tokenizer_of(*weights), text, request.tokens, first->model.max_context);
  {
    Progress progress("numerics prepared", std::ssize(rows));
    for (Row& row : rows) {
      begin(row, request, places, weights);
      progress.advance(1, row.name);
    }
  }
  read_text_with(rows, tokens);
  if (!rows.front().reason.empty()) throw InputError("numerics fp32: " + rows.front().reason);

  std::vector<Json> timed(rows.size());
  Progress progress("numerics timed", std::ssize(rows));
  parallel_each(rows.size(), [&](std::size_t i) {
    check_interrupt();
    timed[i] = row_json(rows[i], places);
    progress.advance();
  });
  const RunRequest& q = request.run;
  Json json = {{"schema", "presil/numerics/1"},
               {"chip", first->chip.chip.name},
               {"model", first->model.name},
               {"weights", {{"file", first->weights_file}, {"formats", first->weight_formats}}},
               {"text", {{"file", text.filename().string()}, {"tokens", tokens.size()}}},
               {"compared_with", kReferenceNumerics},
               {"step",
                {{"batch", q.batch},
                 {"prompt_tokens", q.prompt_tokens},
                 {"context", q.context},
                 {"tp", q.tensor_parallel}}},
               {"rows", timed}};
  json["pareto"] = quality_front(json["rows"]);
  return json;
}

}  // namespace presil

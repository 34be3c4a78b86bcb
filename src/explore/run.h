// One design point, end to end: a model on a chip, for its values, its cycles, its energy and its
// price. `presil run` and every point of `presil sweep` are this function.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "chip/library.h"
#include "cost/price.h"
#include "cost/tokens.h"
#include "explore/phase.h"
#include "explore/quality.h"
#include "explore/weights_id.h"
#include "model/architecture.h"
#include "model/weights.h"
#include "values/generate.h"

namespace presil {

/// Where shipped files and fetched weights are.
struct Places {
  std::filesystem::path home;   // chips/, memories/, models/, ...
  std::filesystem::path cache;  // weights, as NAME.gguf
};

enum class Mode { values, cycles, both };
enum class PhaseChoice { prefill, decode, both };

struct RunRequest {
  std::string chip;
  std::string model;
  std::vector<std::string> overrides;  // --set
  Mode mode = Mode::cycles;
  PhaseChoice phase = PhaseChoice::both;
  std::int64_t batch = 1;
  std::int64_t prompt_tokens = 512;
  std::int64_t context = 512;  // tokens in the cache before a decode step
  std::int64_t tensor_parallel = 1;
  std::optional<std::string> prompt;  // text; needs weights
  std::int64_t max_tokens = 16;       // -n
  std::string weights;   // a GGUF file or a checkpoint; "": the model's own, where it has one
  std::string dtype;     // that weights are stored in without a file; "": numerics say
  std::string numerics;  // a name or a file; "": the chip's, else ggml or bf16
  LaunchMode launch = LaunchMode::graph;
  SamplingOptions sampling;
  CompareRequest compare;
};

struct TextResult {
  std::string prompt;
  std::vector<int> prompt_tokens;
  std::vector<GeneratedToken> tokens;
  std::vector<std::string> pieces;  // of `tokens`, in order; together the text
};

struct RunResult {
  RunRequest request;
  ChipFiles chip;
  Architecture model;
  std::string weights_file;    // name of the GGUF, "" without one
  WeightsId weights_id;        // of its contents
  std::string weight_formats;  // of its matrices, "q4_1 + q8_0"
  Numerics numerics;
  Program program;
  std::optional<TextResult> text;
  std::optional<Quality> quality;  // of request.compare
  std::vector<PhaseResult> phases;
  ChipPrice price;
  std::optional<TokenPrice> token_price;  // of the decode phase
};

/// The result before anything is run: chip, model and program of a request without a text. Throws
/// InputError or MissingInput; Infeasible when no program fits the chip.
Feasible<RunResult> prepare(const RunRequest& request, const Places& places);

/// The same with the model's weights, unless the request is for cycles alone and names none. Opens
/// them when `weights` is empty, else takes it for them, so that several requests for one model
/// share them.
Feasible<RunResult> prepare(const RunRequest& request, const Places& places,
                            std::optional<Weights>& weights);

/// Runs the phases of what prepare() gave, and prices them.
Feasible<RunResult> time_run(RunResult prepared, const Places& places);

/// All that time_run's result depends on, as one text: the program, every input of the chip, the
/// steps and the prices.
std::string fingerprint(const RunResult& prepared, const Places& places);

/// Values, cycles or both. Throws InputError or MissingInput; Infeasible when the chip cannot do
/// it. `on_text` gets each piece of text as it is generated.
Feasible<RunResult> run(const RunRequest& request, const Places& places,
                        const std::function<void(std::string_view)>& on_text = {});

}  // namespace presil

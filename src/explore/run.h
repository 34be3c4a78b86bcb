// One design point, end to end: a model on a chip, for its values, its cycles, its energy and its
// price. `presil run` and every point of `presil sweep` are this function.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "chip/library.h"
#include "cost/price.h"
#include "cost/tokens.h"
#include "explore/error_model.h"
#include "explore/phase.h"
#include "explore/quality.h"
#include "explore/run_request.h"
#include "explore/weights_id.h"
#include "kernels/library.h"
#include "model/architecture.h"
#include "values/generate.h"

namespace presil {

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
  kernels::Library library;  // what of the chip its kernel laws see, and the serving engine
  ErrorModel errors;         // how far its times may be off
  Program program;           // of a pipeline: its first stage
  std::vector<Program> later_stages;  // of a pipeline
  std::optional<TextResult> text;
  std::optional<Quality> quality;  // of request.compare
  std::vector<PhaseResult> phases;
  ChipPrice price;
  std::optional<TokenPrice> token_price;  // of the decode phase
};

/// The programs of all stages, in order.
std::vector<const Program*> stages_of(const RunResult& prepared);

/// Tokens of a page of the KV cache: as asked for, else the software's.
std::int64_t page_tokens(const RunResult& prepared);

/// How cycles are to time the steps of `prepared`, which must outlive the options.
CyclesOptions cycles_options(const RunResult& prepared);
Clocking clocking(const RunRequest& request);

/// Runs the phases of what prepare() gave (prepare.h), and prices them.
Feasible<RunResult> time_run(RunResult prepared, const Places& places);

/// All that time_run's result depends on, as one text: the program, every input of the chip, the
/// steps and the prices.
std::string fingerprint(const RunResult& prepared, const Places& places);

/// Values, cycles or both. Throws InputError or MissingInput; Infeasible when the chip cannot do
/// it. `on_text` gets each piece of text as it is generated.
Feasible<RunResult> run(const RunRequest& request, const Places& places,
                        const std::function<void(std::string_view)>& on_text = {});

}  // namespace presil

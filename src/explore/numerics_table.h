// All named numerics beside each other for one model on one chip: what each makes of a text, what
// it needs of memory, and what speed and energy it gives. Quality against speed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "explore/run.h"
#include "explore/run_json.h"

namespace presil {

/// What every set is compared with.
inline constexpr const char* kReferenceNumerics = "fp32";

struct NumericsTableRequest {
  RunRequest run;              // chip, model, settings, steps to be timed; `numerics`: one row more
  std::filesystem::path text;  // "": home/data/quality.txt
  std::int64_t tokens = 256;   // of the text, at most
};

/// The table, without `host`: "schema": "presil/numerics/1". Every set reads the same text, chunk
/// by chunk beside the reference, so logits of one chunk are all that is held. Its speed is
/// time_run's. A set that the weights or the chip cannot do has a row with `reason` or `no_speed`
/// instead of the numbers. Throws InputError or MissingInput for chip, model, text; Infeasible when
/// the reference cannot run.
Feasible<Json> numerics_table(const NumericsTableRequest& request, const Places& places);

/// Why `program`, compiled for `chip`, does not run in its own numerics' format but in another that
/// the chip multiplies; "" when it does.
std::string why_not_native(const Program& program, const Chip& chip);

/// Indices of the rows that no other beats in both mean KL and decode tokens/s; rows without one of
/// them are left out.
std::vector<std::size_t> quality_front(const Json& rows);

}  // namespace presil

#include "explore/dram_run.h"

#include <fstream>

#include <fmt/format.h>

#include "base/progress.h"
#include "base/sha256.h"
#include "dram/check/command_log.h"
#include "dram/run/figures.h"

namespace presil {
namespace {

bool is_study(const DramRequest& q) {
  return q.curve || q.sensitivity.has_value();
}

void check_request(const DramRequest& q) {
  const auto in_range = [](const char* option, std::optional<std::int64_t> value,
                           std::int64_t most) {
    if (value && (*value < 1 || *value > most)) {
      throw InputError(fmt::format("{}: expected from 1 to {}, found {}", option, most, *value));
    }
  };
  if (q.part.empty() && q.config.empty()) {
    throw InputError("dram: expected a memory part, or --config FILE with one");
  }
  in_range("--atoms", q.atoms, DramRun::kMostAtoms);
  in_range("--channels", q.channels, DramRun::kMostChannels);
  if (q.load && q.curve) throw InputError("--load: --curve offers every load; give one of them");
  if (q.sensitivity && *q.sensitivity >= 1) {
    throw InputError("--sensitivity: expected less than 100 %, which leaves no time at all");
  }
}

dram::SimulationInput input_of(const DramRequest& q, const DramFiles& files) {
  dram::SimulationInput input;
  input.part = files.part;
  input.config = files.dram;
  input.channels = q.channels.value_or(is_study(q) ? 1 : files.part.channels);
  dram::parse_pattern(q.pattern, input.workload);
  input.workload.writes = dram::parse_write_share(q.writes);
  if (input.workload.pattern == dram::Workload::Pattern::trace) {
    if (input.workload.writes.numerator > 0) {
      throw InputError(fmt::format("--writes {}: a trace says itself what it writes", q.writes));
    }
    input.workload.atoms = q.atoms.value_or(0);
  } else {
    const std::int64_t of_study =
        DramRun::kAtomsOfStudy * input.channels * files.part.pseudo_channels;
    input.workload.atoms = q.atoms.value_or(is_study(q) ? of_study : DramRun::kAtoms);
  }
  input.workload.seed = q.seed;
  input.workload.load = q.load;
  input.engine = q.engine;
  input.use_period = q.use_period;
  input.use_equal_channels = q.use_equal_channels;
  return input;
}

dram::SimulationResult simulate_with_progress(dram::SimulationInput input) {
  Progress progress("simulating atoms", input.workload.atoms);
  std::int64_t before = 0;
  input.progress = [&](std::int64_t atoms) {
    progress.advance(atoms - before);
    before = atoms;
  };
  return dram::simulate(input);
}

/// The simulation, with every command written to `file`.
dram::SimulationResult simulate_and_log(dram::SimulationInput input, const std::string& file) {
  std::ofstream out(file, std::ios::binary);
  if (!out) throw LimitReached(fmt::format("--command-log {}: cannot be written", file));
  try {
    dram::LogWriter writer(out, dram::log_header(input.part, input.config.rate, input.channels));
    input.log = [&](int channel, const dram::LoggedCommand& c) { writer.write(channel, c); };
    dram::SimulationResult result = simulate_with_progress(std::move(input));
    writer.flush();
    return result;
  } catch (const std::system_error& e) {
    throw LimitReached(fmt::format("--command-log {}: {}", file, e.what()));
  }
}

}  // namespace

std::string_view to_string(dram::Engine engine) {
  switch (engine) {
    case dram::Engine::reference:
      return "reference";
    case dram::Engine::event:
      return "event";
    case dram::Engine::fast:
      return "fast";
  }
  return "";
}

DramRun run_dram(const DramRequest& request, const Places& places) {
  check_request(request);
  DramFiles files = load_dram(request.part, request.config, request.overrides, places.home);
  const dram::SimulationInput input = input_of(request, files);
  DramRun run{.request = request,
              .files = std::move(files),
              .trace_sha256 = "",
              .channels = input.channels,
              .result = request.command_log.empty() ? simulate_with_progress(input)
                                                    : simulate_and_log(input, request.command_log),
              .curve = {},
              .sensitivity = {}};
  if (!input.workload.trace.empty()) run.trace_sha256 = sha256_of_file(input.workload.trace);
  if (request.curve) {
    Progress progress(
        "loads", static_cast<std::int64_t>(dram::curve_loads(dram::efficiency(run.result)).size()));
    run.curve = dram::load_curve(input, run.result, [&] { progress.advance(); });
  }
  if (request.sensitivity) {
    const auto timings = static_cast<std::int64_t>(dram::estimated_timings(input.part).size());
    Progress progress("timings, shorter and longer", 2 * timings);
    run.sensitivity =
        dram::sensitivity(input, run.result, *request.sensitivity, [&] { progress.advance(); });
  }
  return run;
}

}  // namespace presil

// A memory by itself: a workload through the channels of a part, and what follows from it.
// `presil dram` is this function.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "chip/library.h"
#include "dram/run/load_curve.h"
#include "dram/run/sensitivity.h"
#include "dram/run/simulate.h"
#include "explore/run.h"

namespace presil {

struct DramRequest {
  std::string part;                    // a shipped part, or a file; "": the one `config` names
  std::string config;                  // a dram/1 file, or ""
  std::vector<std::string> overrides;  // --set
  std::string pattern = "sequential";
  std::string writes = "0";
  std::optional<std::int64_t> atoms;     // see DramRun
  std::optional<std::int64_t> channels;  // see DramRun
  std::optional<double> load;            // offered, as a share of the peak, above 0 to 1
  std::uint64_t seed = 0;
  dram::Engine engine = dram::Engine::fast;
  bool use_period = true, use_equal_channels = true;
  std::string command_log;  // a file to write, or ""
  bool curve = false;
  std::optional<double>
      sensitivity;  // by how much the estimated timings are varied, above 0, below 1
};

/// Without a number of channels: those of one stack or package; one for a curve or a sensitivity,
/// as all channels are alike. Without a number of atoms: a trace is sent whole, else kAtoms, or for
/// a curve or a sensitivity kAtomsOfStudy for each pseudo-channel.
struct DramRun {
  static constexpr std::int64_t kAtoms = 2'000'000;
  static constexpr std::int64_t kAtomsOfStudy = 100'000;
  static constexpr std::int64_t kMostAtoms = 1'000'000'000'000;
  static constexpr std::int64_t kMostChannels = 4096;

  DramRequest request;
  DramFiles files;
  std::string trace_sha256;  // of its contents, "" without one
  std::int64_t channels = 0;
  dram::SimulationResult result;
  std::vector<dram::LoadPoint> curve;          // of the same input at rising loads
  std::vector<dram::Sensitivity> sensitivity;  // of the result
};

std::string_view to_string(dram::Engine engine);

/// Throws InputError, MissingInput, Interrupted; LimitReached when the command log cannot be
/// written.
DramRun run_dram(const DramRequest& request, const Places& places);

}  // namespace presil

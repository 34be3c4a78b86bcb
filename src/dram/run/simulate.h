// A workload through one or many channels of a part: every command counted.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/units.h"
#include "chip/chip.h"
#include "chip/memory_part.h"
#include "dram/counts.h"
#include "dram/latency.h"
#include "dram/load/workload.h"
#include "dram/log_hash.h"

namespace presil::dram {

enum class Engine { reference, event, fast };

struct SimulationInput {
  MemoryPart part;
  Dram config;  // rate, refresh, page policy, controller, mapping, ecc; `stacks` is not read
  std::int64_t channels = 1;
  Workload workload{};
  Engine engine = Engine::fast;
  // Proven shortcuts of the fast engine, each by itself.
  bool use_period = true, use_equal_channels = true;
  /// Given every command, channel after channel; no shortcut is taken then.
  std::function<void(int channel, const LoggedCommand&)> log{};
  /// Called now and then with the atoms served so far.
  std::function<void(std::int64_t atoms)> progress{};
  /// A number in timing_rules() that `event` and `fast` forget, for tests that want a faulty
  /// engine.
  int skipped_rule = -1;
};

struct SimulationResult {
  DramClock clock;
  Tick ticks = 0;                     // end of the last data, over all channels
  std::int64_t atoms = 0, bytes = 0;  // of the workload
  std::int64_t ecc_atoms = 0;         // sent beside them for inline ECC
  BytesPerSecond peak{};
  Bytes capacity{};            // of the simulated channels
  ChannelCounts counts{};      // over all channels
  LogHash log_hash{};          // of the channels, in their order
  LatencyHistogram latency{};  // in ticks, from acceptance (or readiness) to the last data
  std::vector<std::vector<BankCounts>> banks{};  // by pseudo-channel (channel x P + p), by bank
  std::vector<std::string> shortcuts{};          // taken
};

/// Throws InputError for a bad part, mapping, workload or trace; Interrupted.
SimulationResult simulate(const SimulationInput& input);

}  // namespace presil::dram

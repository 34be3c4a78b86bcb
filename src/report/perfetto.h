// A run as a trace for Perfetto (https://ui.perfetto.dev), in its JSON form: one process a phase,
// one track a kernel list, an engine, and the DRAM channels.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "explore/run.h"

namespace presil {

/// Times of each phase's last step. DRAM has tracks when the run recorded its transfers.
nlohmann::ordered_json perfetto_trace(const RunResult& run);

}  // namespace presil

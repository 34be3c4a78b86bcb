// One replica as `serving` sees it: a compiled program on its chips, and what of their memory is
// left for the KV cache.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/error.h"
#include "base/units.h"
#include "explore/run.h"
#include "program/bind.h"
#include "serving/engine/options.h"
#include "serving/step_cost.h"

namespace presil {

struct DeploymentRequest {
  /// Chip, model, split, formats and software; its phases, prompts and batches are not looked at.
  RunRequest design;
  /// num_blocks 0: as many as fit. pipeline_stages is set to the design's. A max_model_len beyond
  /// the model's context is cut to it.
  serving::EngineOptions engine;
};

struct Deployment {
  RunResult prepared;  // its programs have no limit of memory: blocks of the cache keep it
  std::shared_ptr<const Deployment> draft;  // the model that proposes tokens, on the same chips
  serving::EngineOptions engine;
  std::int64_t chips = 1;
  std::int64_t chips_of_stage = 1;
  // Of the fullest chip, those of the draft included.
  Bytes memory;     // that it has
  Bytes weights;    // of its stage
  Bytes workspace;  // activations of the largest step
  Bytes cache;      // that its blocks take
  /// Of the whole replica: a token of a sequence that is max_model_len long. Layers with a window
  /// keep no more than it, as in vLLM's hybrid cache.
  double cache_bytes_per_token = 0;
  FlopsPerSecond peak_flops;  // of the replica, in the format that its products multiply
  Watts idle, limit;          // of all its chips
};

/// Throws InputError or MissingInput as run does, for engine options that nothing can run with, and
/// for a draft that has another vocabulary or reads less than max_model_len;
/// Infeasible when the KV cache has no room for a sequence of max_model_len, with what would.
Feasible<Deployment> deploy(const DeploymentRequest& request, const Places& places);

/// Throws InputError for a model that reads and never writes.
void require_decoder(const Deployment& deployment);

struct TimedStep {
  serving::StepCost cost;
  TimeBand band;      // factors of its time, as far as that is known
  Charges charges{};  // what its time went to, over all stages
};

/// What `step` of its model alone costs the replica, from run_phase itself: what tables are filled
/// with and held against. Of several data-parallel groups the heaviest is timed, and all draw its
/// power.
Feasible<TimedStep> time_step_of(const Deployment& deployment, const Step& step);

}  // namespace presil

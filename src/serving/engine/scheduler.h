// What runs in the next step of a replica, and what it has done. A scheduler knows tokens and
// blocks; time and steps in flight are the replica's.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "serving/engine/options.h"
#include "serving/engine/replica.h"
#include "serving/request.h"

namespace presil::serving {

/// A sequence's part of a step.
struct ScheduledSequence {
  static constexpr std::int32_t kReadsOnly = -1;

  std::int32_t seat = 0;
  std::int32_t drafted = 0;  // proposed tokens that the step checks; kReadsOnly: it ends inside a
                             // prompt and writes nothing
};

/// One step from its scheduling to its end.
struct Batch {
  std::vector<ScheduledSequence> sequences;
  StepRecord record;
  bool is_listed = false;  // whether `list` is wanted
  std::vector<StepSequence> list;

  void add_prefill(std::int64_t new_tokens, std::int64_t context) {
    record.features.add_prefill(new_tokens, context);
    if (is_listed) list.push_back({new_tokens, context, false});
  }
  void add_decode(std::int64_t new_tokens, std::int64_t context) {
    record.features.add_decode(new_tokens, context);
    if (is_listed) list.push_back({new_tokens, context, true});
  }
};

/// `count` sequences of a class got a token `since` after their one before.
struct TokenGap {
  Nanoseconds since;
  std::int64_t count = 0;
  int slo_class = 0;
};

struct Handover {
  Request request;
  RequestRecord so_far;
};

/// What a step has done for requests. Kept from step to step, so that it need not allocate.
struct StepOutcome {
  std::vector<RequestRecord> finished;
  std::vector<Handover> prefilled;
  std::vector<TokenGap> gaps;

  void clear() {
    finished.clear();
    prefilled.clear();
    gaps.clear();
  }
  void add_gap(Nanoseconds since, int slo_class) {
    // Sequences that decode side by side have the same gap; other ones make a few entries more.
    if (gaps.empty() || gaps.back().since != since || gaps.back().slo_class != slo_class) {
      gaps.push_back({since, 0, slo_class});
    }
    ++gaps.back().count;
  }
};

class Scheduler {
 public:
  virtual ~Scheduler() = default;
  /// A request that waits from now on. `kv_here`: its prompt was read elsewhere, and so_far holds
  /// what became of it there.
  virtual void add(const Request& request, const RequestRecord& so_far, bool kv_here) = 0;
  /// Chooses what the next step does and fills all of `batch` but its times and cost; false when
  /// there is nothing that could run.
  virtual bool schedule(Nanoseconds now, Batch& batch) = 0;
  /// The step ended at batch.record.end. Batches end in the order in which they were scheduled.
  virtual void end(const Batch& batch, StepOutcome& outcome) = 0;

  virtual ReplicaLoad load() const = 0;
  virtual std::int64_t cached_tokens(const Request& request) const = 0;
};

/// Tokens in the KV cache that a request takes at most: in its last step, proposed ones included.
/// Requires that prompt and output are not more than max_model_len.
std::int64_t longest_kv(const Request& request, const EngineOptions& options);

std::unique_ptr<Scheduler> make_scheduler(const EngineOptions& options);

}  // namespace presil::serving

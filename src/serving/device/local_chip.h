// The device's own chip at work: one burst of steps after another, one sequence at a time.
//
// A burst is what a request needs of the chip without waiting for anybody: encode speech, read a
// prompt in chunks, write tokens, speak. The governor's level slows steps: time grows with 1 /
// speed, as memory is clocked down with the chip, and the energy of operations falls with the
// voltage.
#pragma once

#include <array>
#include <deque>

#include "serving/device/thermal.h"
#include "serving/step_cost.h"

namespace presil::serving {

struct Burst {
  std::int64_t job = 0;
  std::int64_t frames = 0;   // the encoder reads
  std::int64_t prompt = 0;   // tokens to read
  std::int64_t context = 0;  // tokens in the cache before
  std::int64_t tokens = 0;   // to write; the first with the last of the prompt, where there is one
  Seconds synthesis;         // of the chip, to speak
  Watts synthesis_power;
};

enum class LocalWork { encode, read, write, speak };
inline constexpr std::size_t kLocalWorks = 4;

struct LocalStep {
  LocalWork work = LocalWork::read;
  Nanoseconds time;
  Watts power;
  bool writes = false;  // a token is there at its end
};

class LocalChip {
 public:
  /// `costs` and `encoder` (nullptr where nothing is encoded) outlive the chip. `idle` is in the
  /// costs' energy already.
  LocalChip(const StepCosts& costs, const StepCosts* encoder, Watts idle,
            std::int64_t prefill_chunk);

  /// Behind all others.
  void add(const Burst& burst) { bursts_.push_back(burst); }
  /// Goes on with a job before the others have their turn. Requires that no step runs.
  void go_on(const Burst& burst) { bursts_.push_front(burst); }
  /// Bursts that have not ended.
  std::int64_t waiting() const { return static_cast<std::int64_t>(bursts_.size()); }

  /// The next step of the first burst. Requires that there is one, and that none runs.
  LocalStep start(const ClockLevel& level);

  struct Ended {
    LocalStep step;
    Burst burst;
    bool last = false;  // of its burst
  };
  /// The step that runs has ended.
  Ended end();

 private:
  StepCost cost_of(const Burst& burst, LocalStep& step) const;

  const StepCosts& costs_;
  const StepCosts* encoder_;
  Watts idle_;
  std::int64_t prefill_chunk_;
  std::deque<Burst> bursts_;  // the first is at work; what it has done is taken off it
  LocalStep running_;
};

}  // namespace presil::serving

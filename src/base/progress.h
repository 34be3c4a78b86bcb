// Progress of anything that may take over a second: one line on stderr that rewrites itself.
//
// Nothing is written in the first second, and nothing at all where stderr is not a terminal, so
// short work is silent and logs stay clean. Any thread may report. There is one line: while one
// progress shows, those of its parts and of work beside it stay silent.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>

#include "base/terminal.h"

namespace presil {

class Progress {
 public:
  using Clock = std::function<std::chrono::steady_clock::time_point()>;
  using Sink = std::function<void(std::string_view)>;

  /// `label` says what is going on ("loading weights"). `total` is how many steps there are; 0 when
  /// that is not known.
  explicit Progress(std::string label, std::int64_t total = 0);

  /// As above, on a terminal, a sink and a clock of the caller's choosing.
  Progress(std::string label, std::int64_t total, Terminal terminal, Sink sink, Clock clock);

  /// Clears the line.
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// `steps` more are done. `detail` is shown behind the count ("layer 3").
  void advance(std::int64_t steps = 1, std::string_view detail = {});

 private:
  void draw(std::string_view detail, std::chrono::duration<double> elapsed);

  std::string label_;
  std::int64_t total_;
  Terminal terminal_;
  Sink sink_;
  Clock clock_;
  std::mutex mutex_;
  std::int64_t done_ = 0;
  std::chrono::steady_clock::time_point start_;
  std::chrono::steady_clock::time_point next_draw_;
  bool drawn_ = false;
  static std::atomic<const Progress*> shown_;
};

}  // namespace presil

// A DRAM memory system to plug into another simulator: every command simulated, no call per tick.
//
// The host owns the time, in whole picoseconds. It sends lines at the current time, asks when
// something may happen next, and moves the time there; what has completed by then comes back:
//
//   presilicon::MemorySystem memory("memories/hbm3-6400.yaml");
//   if (!memory.send(address, write, tag)) { /* full: try again after the next advance() */ }
//   for (const presilicon::Completion& done : memory.advance(memory.next_event())) { ... }
//
// The contract, in full (docs/embed.md has the reasons and attaches gem5 and ChampSim):
//
// - A line that send() accepted completes exactly once, with its tag; one that it refused leaves no
//   trace. Tags are the host's own: they need not differ.
// - A line sent at time t takes part from the first tick after t on. A line of several atoms is
//   taken whole or not at all; its atoms enter the queue one a tick.
// - Nothing completes before next_event() and, after a refusal, no room appears before it, unless
//   something else is sent. It may be early: then advance() returns nothing, and one asks again.
// - Whoever was refused tries again after each advance(); there is no other notice.
// - What happens depends on the times and the order of the sends alone, not on how the host cuts
//   the time into calls of advance().
// - A write completes when its data is in the DRAM. Reads are not answered from waiting writes, and
//   requests to one line may overtake each other; a host that cares keeps them apart.
//
// Objects share nothing; one object is for one thread at a time. Needs C++17, nothing else.
#pragma once

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace presilicon {

/// Bad input, with the place in the file and what was expected, or a broken condition below.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// No time at all: next_event() where nothing is under way.
inline constexpr std::uint64_t kNever = UINT64_MAX;

struct MemoryOptions {
  int channels = 0;      // 0: as many as the file's stacks have
  int line = 64;         // bytes of one request: whole atoms
  int interleave = 256;  // bytes that lie in one pseudo-channel before the next: whole lines
  // Fields of the system ("dram.refresh=per_bank") or of its part ("memory.timing.tRP=14 ns").
  std::vector<std::string> set;
  // Where memories/ is, for parts given by name: presilicon_SHARE_DIR of find_package(presilicon).
  std::string share;
};

struct Completion {
  std::uint64_t tag = 0;
  std::uint64_t time = 0;  // ps: its last byte has arrived (read) or is in the DRAM (write)

  friend bool operator==(const Completion& a, const Completion& b) {
    return a.tag == b.tag && a.time == b.time;
  }
};

/// From time 0 to now, over all channels. An atom is one burst, one RD or WR.
struct Statistics {
  std::uint64_t lines_read = 0, lines_written = 0;  // completed
  std::uint64_t ACT = 0, PREpb = 0, PREab = 0, RD = 0, WR = 0, REFab = 0, REFpb = 0, RFM = 0;
  std::uint64_t row_hits = 0, row_misses = 0, row_conflicts = 0;  // of atoms
  double bandwidth = 0;                                           // bytes/s of completed lines
  // Of the completed reads, from send() to completion, in ps.
  double read_latency_mean = 0, read_latency_p50 = 0, read_latency_p99 = 0, read_latency_max = 0;
  std::uint64_t log_hash = 0;  // of every command; equal for equal sends, as in `presil dram`
};

class MemorySystem {
 public:
  /// `file` describes a part (memories/hbm3-6400.yaml) or a memory system (presil: dram/1); it may
  /// also name a part in options.share. Line i of interleave bytes lies in channel i % N and there
  /// in pseudo-channel i / N % P. Throws Error.
  explicit MemorySystem(const std::string& file, const MemoryOptions& options = {});
  ~MemorySystem();
  MemorySystem(MemorySystem&&) noexcept;
  MemorySystem& operator=(MemorySystem&&) noexcept;

  std::uint64_t capacity() const;  // bytes
  double peak_bandwidth() const;   // bytes/s
  int line() const;                // bytes
  std::uint64_t now() const;       // ps; 0 at first

  /// Sends the line of `address` at time now(). False: the queue of its pseudo-channel and
  /// direction has no room for it. Throws Error for an address at or past capacity().
  bool send(std::uint64_t address, bool write, std::uint64_t tag);

  /// The time, after now(), before which nothing completes and (after a refusal) no room appears;
  /// kNever when nothing is under way.
  std::uint64_t next_event() const;

  /// Moves to `time` and returns what completed since, by time and then in the order sent; valid
  /// until the next call. Throws Error for a time before now() or past 10^18 ps, 11 days.
  const std::vector<Completion>& advance(std::uint64_t time);

  /// Lines sent and not yet returned by advance().
  std::uint64_t pending() const;

  Statistics statistics() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace presilicon

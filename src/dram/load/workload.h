// What is sent to a memory to see how it does: generated patterns, or a trace.
//
// The patterns are those of the golden numbers: 64-byte blocks (one atom where 64 bytes are no
// whole number of them), each sent as its atoms in order, wrapping at the capacity of the simulated
// channels.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "dram/command.h"

namespace presil::dram {

/// A share of the blocks, exactly: block i is a write when floor((i + 1) share) > floor(i share).
struct WriteShare {
  std::int64_t numerator = 0, denominator = 1;

  bool is_write(std::int64_t block) const;
};
/// Reads "0", "0.25" or "1/3". Throws InputError.
WriteShare parse_write_share(std::string_view text);

struct Workload {
  enum class Pattern { sequential, random, stride, blocks, trace };

  Pattern pattern = Pattern::sequential;
  std::int64_t step = 0;        // stride: bytes from block to block; blocks: bytes of a block
  std::filesystem::path trace;  // Ramulator 2 load/store or DRAMsim3, told apart by its first line
  std::int64_t atoms = 0;       // sent in all; a trace without a count is sent whole
  WriteShare writes;            // a trace has its own
  std::uint64_t seed = 0;       // 0: the golden streams
  // Offered bytes over the peak of all channels, above 0; it goes before the cycles of a trace.
  // Without either, requests come as fast as they are taken.
  std::optional<double> load;
};

/// Reads "sequential", "random", "stride:4096", "blocks:4KiB" or "trace:FILE" into `workload`.
/// Throws InputError.
void parse_pattern(std::string_view text, Workload& workload);

/// A block of a workload, or several that follow on within a line: `atoms` consecutive atoms from
/// byte `address` on, a multiple of the atom.
struct Block {
  std::int64_t address = 0;
  std::int64_t atoms = 0;
  bool write = false;
  Tick ready = 0;  // not sent before; 0 where requests come as fast as they are taken
};

/// Bytes of a block: 64, or one atom where 64 bytes are no whole number of them.
std::int64_t block_bytes(std::int64_t atom);

/// Every `of`-th line of 256 B (chip/dram_shape.h), from number `index` on: those of one channel.
struct Share {
  std::int64_t of = 1, index = 0;
};

/// The blocks of a workload in their order, or of a share of its lines. Reads a trace as it goes;
/// holds a few lines of it.
class BlockStream {
 public:
  /// Over `capacity` bytes made of `atom`-byte atoms. `ticks_per_atom`: ticks that an atom takes at
  /// the peak of all channels together, for the offered load. `ticks_per_cycle`: of the command
  /// clock, in which DRAMsim3 traces count. Block i is ready at tick floor(i x interval). Throws
  /// InputError for a step that is no multiple of a block or larger than the memory; MissingInput
  /// for a trace that cannot be opened.
  BlockStream(const Workload& workload, std::int64_t capacity, std::int64_t atom,
              double ticks_per_atom, std::int64_t ticks_per_cycle, Share share = {});
  /// A copy goes on by itself; not of a trace.
  BlockStream(const BlockStream& other);
  BlockStream& operator=(const BlockStream& other);
  BlockStream(BlockStream&&) noexcept;
  BlockStream& operator=(BlockStream&&) noexcept;
  ~BlockStream();

  /// False at the end. Throws InputError, with file and line, for a bad line of a trace or an
  /// address past the end of the memory.
  bool next(Block& block);

  // For whole periods: where the addresses go on by the same step from block to block.

  struct Regular {
    std::int64_t step = 0;           // bytes from block to block, of all shares
    std::int64_t next = 0;           // address of the next block, of all shares
    std::int64_t round = 0;          // changes where the regularity breaks
    std::int64_t blocks_left = 0;    // in this round, of all shares
    std::int64_t written_share = 0;  // what decides which blocks are writes, modulo its denominator
  };
  /// Empty when they do not.
  std::optional<Regular> regular() const;
  /// Leaves out `blocks` blocks of all shares, at most Regular::blocks_left. Requires regular().
  void skip(std::int64_t blocks);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace presil::dram

// What a chip's DRAM amounts to: channels, capacity, peak, and the line it is interleaved by.
#pragma once

#include <cstdint>

#include "chip/chip.h"
#include "chip/memory_part.h"

namespace presil {

/// Consecutive lines of this size go to consecutive pseudo-channels of the chip: long enough to
/// stay in one row for several bursts, short enough that one tile touches every channel.
inline constexpr std::int64_t kInterleaveLine = 256;

inline std::int64_t pseudo_channels(const MemoryPart& part, const Dram& dram) {
  return dram.stacks * part.channels * part.pseudo_channels;
}

/// The part with the mapping and the rows that `dram` gives it: a capacity other than the stacks'
/// own changes the rows of a bank, rounded up.
MemoryPart as_configured(MemoryPart part, const Dram& dram);

/// One line on every pseudo-channel: what starts and ends on multiples of it loads all of them
/// alike.
inline Bytes interleave_unit(const MemoryPart& part, const Dram& dram) {
  return Bytes(kInterleaveLine * pseudo_channels(part, dram));
}

inline BytesPerSecond peak_bandwidth(const MemoryPart& part, const Dram& dram) {
  return BytesPerSecond(static_cast<double>(pseudo_channels(part, dram) * part.width) *
                        dram.rate.count() / 8);
}

/// The part with the columns that data may take: inline ECC keeps the last eighth of each row.
inline MemoryPart without_codes(MemoryPart part, Ecc ecc) {
  if (ecc != Ecc::none) part.page = Bytes(part.page.count() / 8 * 7);
  return part;
}

/// Throws InputError unless a pseudo-channel of `bytes` is made of whole lines of whole atoms.
void require_whole_lines(const MemoryPart& part, std::int64_t bytes);

/// What data may take, of all stacks.
inline Bytes dram_capacity(const MemoryPart& part, const Dram& dram) {
  const Bytes whole = dram.capacity.value_or(part.stack_capacity() * dram.stacks);
  return dram.ecc == Ecc::none ? whole : Bytes(whole.count() / 8 * 7);
}

}  // namespace presil

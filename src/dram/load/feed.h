// The front end of one channel: the requests of a workload's lines that lie in it, in their order.
//
// Each pseudo-channel takes its next request out of a window of the channel's oldest unsent ones,
// so that one that is busy (being refreshed, say) does not stop the others at once, and no more
// than the window is ever held. Lines of 256 B are dealt out over the channels first, then over
// their pseudo-channels (chip/dram_shape.h).
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "chip/chip.h"
#include "dram/address_map.h"
#include "dram/load/inline_codes.h"
#include "dram/load/workload.h"
#include "dram/state_key.h"

namespace presil::dram {

class Feed {
 public:
  static constexpr std::int64_t kWindow = 256;  // requests

  struct Request {
    std::int32_t bank = 0, row = 0;
    Tick ready = 0;
    bool write = false;
    bool is_code = false;  // of inline ECC
  };

  /// Of channel `channel` of `channels`. `map` is of one pseudo-channel, without the columns that
  /// hold codes; `blocks` must be the share of this channel. All but `blocks` must outlive the
  /// feed.
  Feed(const AddressMap& map, BlockStream blocks, std::int64_t channels, const MemoryPart& part,
       Ecc ecc);

  /// The next request of the pseudo-channel, or nullptr if there is none in the window.
  const Request* front(int pc) const {
    const Queue& queue = queues_[static_cast<std::size_t>(pc)];
    return queue.size == 0 ? nullptr : &queue.ring[queue.head];
  }
  void pop(int pc) {
    Queue& queue = queues_[static_cast<std::size_t>(pc)];
    queue.head = queue.head + 1 == queue.ring.size() ? 0 : queue.head + 1;
    --queue.size;
    --held_;
    refill();
  }
  /// Whether all has been sent.
  bool is_empty() const { return held_ == 0; }

  std::int64_t atoms() const { return atoms_; }  // of the workload, taken into the window so far
  std::int64_t code_atoms() const { return code_atoms_; }

  // For whole periods.

  /// Empty where the addresses do not go on regularly.
  std::optional<BlockStream::Regular> regular() const;
  /// Bytes that move every pseudo-channel's rows by one and change nothing else.
  std::int64_t row_bytes() const { return row_bytes_; }
  void describe(StateKey& key) const;
  /// Moves on as if `blocks` blocks of all shares, `atoms` and `code_atoms` of them here, had gone
  /// by since.
  void skip(std::int64_t blocks, std::int64_t atoms, std::int64_t code_atoms,
            const StateShift& shift);

 private:
  struct Queue {
    std::vector<Request> ring;
    std::size_t head = 0, size = 0;
    std::optional<InlineCodes> codes;
  };

  void refill() {
    if (!has_ended_ && held_ + most_of_a_block_ <= window_) take_blocks();
  }
  void take_blocks();
  void take(std::int64_t address, const Block& block);
  void push(Queue& queue, const Request& request);

  const AddressMap* map_;
  BlockStream blocks_;
  std::int64_t channels_, pseudo_channels_, atom_, atoms_per_line_;
  std::int64_t row_bytes_ = 0;
  std::int64_t window_, most_of_a_block_;
  std::int64_t held_ = 0;
  bool has_ended_ = false;
  std::int64_t atoms_ = 0, code_atoms_ = 0;
  std::vector<Queue> queues_;
};

}  // namespace presil::dram

#include "dram/load/feed.h"

#include <utility>

#include "base/error.h"
#include "chip/dram_shape.h"

namespace presil::dram {

Feed::Feed(const AddressMap& map, BlockStream blocks, std::int64_t channels, const MemoryPart& part,
           Ecc ecc)
    : map_(&map),
      blocks_(std::move(blocks)),
      channels_(channels),
      pseudo_channels_(part.pseudo_channels),
      atom_(part.atom().count()),
      atoms_per_line_(kInterleaveLine / atom_),
      queues_(static_cast<std::size_t>(pseudo_channels_)) {
  CHECK(atoms_per_line_ * atom_ == kInterleaveLine, "a line of whole atoms");
  row_bytes_ = map.row_sweep() * atom_ * channels_ * pseudo_channels_;
  // A write may bring a read and a write of codes with each atom.
  most_of_a_block_ = atoms_per_line_ * (ecc == Ecc::none ? 1 : 3);
  // One pseudo-channel alone waits for nobody: it needs to see its next request only.
  window_ = pseudo_channels_ == 1 ? 2 * most_of_a_block_ : kWindow;
  for (Queue& queue : queues_) {
    queue.ring.resize(static_cast<std::size_t>(window_));
    if (ecc != Ecc::none) queue.codes.emplace(part);
  }
  refill();
}

void Feed::take_blocks() {
  Block block;
  while (held_ + most_of_a_block_ <= window_) {
    if (!blocks_.next(block)) {
      has_ended_ = true;
      return;
    }
    take(block.address, block);
  }
}

void Feed::take(std::int64_t address, const Block& block) {
  const std::int64_t line = address / kInterleaveLine / channels_;
  Queue& queue = queues_[static_cast<std::size_t>(line % pseudo_channels_)];
  const std::int64_t first =
      line / pseudo_channels_ * atoms_per_line_ + address % kInterleaveLine / atom_;
  for (std::int64_t i = 0; i < block.atoms; ++i) {
    const Location at = map_->locate(first + i);
    Request request{at.bank, at.row, block.ready, block.write, false};
    if (queue.codes) {
      queue.codes->before(at, block.write, [&](bool write) {
        push(queue, {at.bank, at.row, block.ready, write, true});
      });
    }
    push(queue, request);
  }
  atoms_ += block.atoms;
}

void Feed::push(Queue& queue, const Request& request) {
  std::size_t at = queue.head + queue.size;
  if (at >= queue.ring.size()) at -= queue.ring.size();
  queue.ring[at] = request;
  ++queue.size;
  ++held_;
  code_atoms_ += request.is_code;
}

std::optional<BlockStream::Regular> Feed::regular() const {
  return map_->is_row_on_top() ? blocks_.regular() : std::nullopt;
}

void Feed::describe(StateKey& key) const {
  for (const Queue& queue : queues_) {
    key.add(static_cast<std::int64_t>(queue.size));
    std::size_t at = queue.head;
    for (std::size_t i = 0; i < queue.size; ++i) {
      const Request& request = queue.ring[at];
      key.add(request.bank * 4 + request.write * 2 + request.is_code);
      key.add_row(request.row);
      if (++at == queue.ring.size()) at = 0;
    }
    if (queue.codes) queue.codes->describe(key);
  }
}

void Feed::skip(std::int64_t blocks, std::int64_t atoms, std::int64_t code_atoms,
                const StateShift& shift) {
  blocks_.skip(blocks);
  atoms_ += atoms;
  code_atoms_ += code_atoms;
  for (Queue& queue : queues_) {
    for (Request& request : queue.ring) shift.row(request.row);
    if (queue.codes) queue.codes->shift(shift);
  }
}

}  // namespace presil::dram

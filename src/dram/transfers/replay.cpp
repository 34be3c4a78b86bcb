#include "dram/transfers/replay.h"

#include <algorithm>

#include "base/error.h"

namespace presil::dram {

bool Replay::holds(const Tape& tape, Tick start, std::span<const Lane> lanes,
                   std::span<const Backlog> backlogs) {
  for (std::size_t i = 0; i < lanes.size(); ++i) {
    if (backlogs[i].others_ready(lanes[i].sender) < start + tape.length) return false;
  }
  return true;
}

void Replay::start(const Tape& tape, Tick start, std::span<const Lane> lanes,
                   std::span<const Backlog> backlogs) {
  tape_ = &tape;
  lanes_ = lanes;
  backlogs_ = backlogs;
  start_ = now_ = start;
  parts_.clear();
  completing_.clear();
  for (std::size_t i = 0; i < lanes.size(); ++i) list_parts(i, backlogs[i]);
}

void Replay::list_parts(std::size_t pc, const Backlog& backlog) {
  const Lane& lane = lanes_[pc];
  const std::vector<std::int32_t>& served = tape_->tracks[pc].served;
  CHECK(served.size() >= lane.waiting.size(), "the tape is of another queue");
  const std::size_t first = parts_.size();
  const auto note = [&](TransferId id, std::int32_t tick) {
    if (tick == Tape::kNotServed) return;
    auto part = parts_.begin() + static_cast<std::ptrdiff_t>(first);
    // Reads of one transfer come mostly together.
    part = parts_.size() > first && parts_.back().transfer == id
               ? parts_.end() - 1
               : std::find_if(part, parts_.end(), [&](const Part& p) { return p.transfer == id; });
    if (part == parts_.end()) part = parts_.insert(part, {pc, id, 0, 0, false});
    ++part->served;
    part->last = std::max(part->last, start_ + tick);
  };
  for (std::size_t i = 0; i < lane.waiting.size(); ++i) note(lane.waiting[i].transfer, served[i]);
  std::size_t read = lane.waiting.size();
  for (std::size_t k = 0; read < served.size(); ++k) {
    const TransferId id = lane.sender->unsent[k];
    const PendingTransfer& transfer = backlog.at(id);
    const auto left = static_cast<std::size_t>(transfer.stream.count - transfer.sent);
    for (const std::size_t end = std::min(served.size(), read + left); read < end; ++read) {
      note(id, served[read]);
    }
  }
  for (std::size_t i = first; i < parts_.size(); ++i) {
    const PendingTransfer& transfer = backlog.at(parts_[i].transfer);
    parts_[i].is_all = transfer.served + parts_[i].served == transfer.stream.count;
  }
}

}  // namespace presil::dram

#include "dram/transfers/replay.h"

#include "base/error.h"

namespace presil::dram {

void Replay::start(const StateGraph::Edge& edge, Tick start, std::span<const Lanes> lanes,
                   std::span<const Places> places, std::span<const Backlog> backlogs) {
  edge_ = &edge;
  start_ = now_ = start;
  parts_.clear();
  completing_.clear();
  for (std::size_t pc = 0; pc < backlogs.size(); ++pc) {
    for (const bool write : {false, true}) {
      list_parts(pc, write, lanes[pc][write], places[pc][write], backlogs[pc]);
    }
  }
}

void Replay::list_parts(std::size_t pc, bool write, const Lane& lane, std::int64_t place,
                        const Backlog& backlog) {
  const StateGraph::Track& track = edge_->tracks[pc];
  const std::vector<StateGraph::ServedAtom>& all = track.served[write];
  if (all.empty()) return;
  const auto count = static_cast<std::int64_t>(all.size());
  if (lane.run > 0 && lane.atom == place) {
    // Mostly they are all of the transfer that is being sent.
    const TransferId id = lane.sender->unsent.front();
    const PendingTransfer& head = backlog.at(id);
    const std::int64_t begin = head.stream.first - place;
    if (all.front().atom >= begin && all.back().atom < begin + head.stream.count) {
      parts_.push_back(
          {pc, id, count, start_ + track.last[write], head.served + count == head.stream.count});
      return;
    }
  }
  const std::size_t first = parts_.size();
  std::size_t next = 0;             // of the sender's transfers
  std::int64_t covered = 0;         // atoms to be sent of those before it
  std::int64_t begin = 0, end = 0;  // atoms of the transfer found last, from `place`
  for (const StateGraph::ServedAtom& served : all) {
    if (served.atom >= end || served.atom < begin) {
      TransferId id = Backlog::kNobody;
      if (served.atom < 0) {
        id = backlog.holder(place + served.atom, write);
        CHECK(id != Backlog::kNobody, "a request is of some transfer");
        begin = backlog.at(id).stream.first - place;
        end = std::min<std::int64_t>(0, begin + backlog.at(id).sent);
      } else {
        for (;; ++next) {
          id = lane.sender->unsent[next];
          begin = covered;
          covered += backlog.at(id).stream.count - backlog.at(id).sent;
          end = covered;
          if (served.atom < end) break;
        }
        ++next;
      }
      if (parts_.size() == first || parts_.back().transfer != id) {
        parts_.push_back({pc, id, 0, 0, false});
      }
    }
    Part& part = parts_.back();
    ++part.served;
    part.last = std::max(part.last, start_ + served.tick);
  }
  for (std::size_t i = first; i < parts_.size(); ++i) {
    const PendingTransfer& transfer = backlog.at(parts_[i].transfer);
    parts_[i].is_all = transfer.served + parts_[i].served == transfer.stream.count;
  }
}

}  // namespace presil::dram

#include "dram/transfers/backlog.h"

#include <algorithm>

#include "base/integers.h"

namespace presil::dram {
namespace {

std::int64_t nearest_div(std::int64_t a, std::int64_t b) {
  return (a + b / 2) / b;
}

}  // namespace

LocalStream local_stream(const Stream& stream, std::int64_t pseudo_channels, std::int64_t line,
                         std::int64_t atom_size, bool& rounded) {
  const std::int64_t unit = line * pseudo_channels;
  const std::int64_t per_line = line / atom_size;
  const bool blocks = stream.block > 0 && stream.stride != stream.block;
  rounded = stream.base % unit != 0 || stream.length % unit != 0 ||
            (blocks && (stream.block % unit != 0 || stream.stride % unit != 0));

  const std::int64_t first = ceil_div(stream.base, unit);
  const std::int64_t end = ceil_div(stream.base + stream.length, unit);
  const std::int64_t lines = std::max<std::int64_t>(1, end - first);
  if (!blocks) return {first * per_line, lines * per_line, 0, 0};

  // Blocks smaller than a line on every pseudo-channel go together in groups that give each of them
  // about one.
  const std::int64_t group = ceil_div(unit, stream.block);
  const std::int64_t block = std::max<std::int64_t>(1, nearest_div(group * stream.block, unit));
  const std::int64_t stride = std::max(block, nearest_div(group * stream.stride, unit));
  return {first * per_line, lines * per_line, block * per_line, stride * per_line};
}

TransferId Backlog::submit(const PendingTransfer& transfer) {
  const TransferId id = submitted();
  transfers_.push_back(transfer);
  Requester& requester = requesters_[transfer.requester];
  requester.number = transfer.requester;
  requester.unsent.push_back(id);
  return id;
}

Backlog::Requester* Backlog::next(Tick now, bool read_room, bool write_room) {
  Requester* wrapped = nullptr;  // the first that can send, should nobody follow the last turn
  for (auto& [number, requester] : requesters_) {
    if (requester.unsent.empty()) continue;
    const PendingTransfer& head = at(requester.unsent.front());
    if (head.ready > now || !(head.write ? write_room : read_room)) continue;
    if (number > last_turn_) return &requester;
    if (wrapped == nullptr) wrapped = &requester;
  }
  return wrapped;
}

TransferId Backlog::send(Requester& requester) {
  const TransferId id = requester.unsent.front();
  send_many(requester, 1);
  return id;
}

void Backlog::send_many(Requester& requester, std::int64_t count) {
  last_turn_ = requester.number;
  while (count > 0) {
    PendingTransfer& head = at(requester.unsent.front());
    const std::int64_t now = std::min(count, head.stream.count - head.sent);
    head.sent += now;
    count -= now;
    if (head.sent == head.stream.count) requester.unsent.pop_front();
  }
}

Tick Backlog::next_ready(Tick now) const {
  Tick least = kNever;
  for (const auto& [number, requester] : requesters_) {
    const Tick ready = ready_of(requester);
    if (ready > now) least = std::min(least, ready);
  }
  return least;
}

std::int64_t Backlog::ready_run(const Requester& requester, Tick now, std::int64_t most) const {
  std::int64_t run = 0, next = -1;
  const bool write = at(requester.unsent.front()).write;
  for (const TransferId id : requester.unsent) {
    const PendingTransfer& transfer = at(id);
    const LocalStream& stream = transfer.stream;
    const bool follows = next < 0 || stream.first == next;
    if (!follows || transfer.write != write || stream.block != 0 || transfer.ready > now) break;
    run += stream.count - transfer.sent;
    next = stream.first + stream.count;
    if (run >= most) return most;
  }
  return run;
}

TransferId Backlog::holder(std::int64_t atom, bool write) const {
  for (TransferId id = submitted() - 1; id >= first_; --id) {
    const PendingTransfer& t = at(id);
    const std::int64_t into = atom - t.stream.first;
    if (t.write == write && t.stream.block == 0 && into >= 0 && into < t.sent && !t.is_served()) {
      return id;
    }
  }
  return kNobody;
}

void Backlog::forget_finished() {
  while (!transfers_.empty() && transfers_.front().is_served()) {
    transfers_.pop_front();
    ++first_;
  }
}

}  // namespace presil::dram

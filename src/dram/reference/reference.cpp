#include "dram/reference/reference.h"

#include "base/error.h"

namespace presil::dram {

ReferenceChannel::ReferenceChannel(const MemoryPart& part, BitsPerSecond rate, const Policy& policy)
    : part_(part),
      last_arrival_(part.pseudo_channels, -1),
      rows_(static_cast<int>(part.rows)),
      last_row_(part.pseudo_channels * part.total_banks(), 0) {
  const auto ticks = [&](const DramTiming& timing) {
    return part.clocks(timing, rate) * part.ticks_per_clock;
  };
  burst_ticks_ = part.burst_clocks() * part.ticks_per_clock;
  read_latency_ = ticks(part.tCL) + burst_ticks_;
  write_latency_ = ticks(part.tCWL) + burst_ticks_;
  for (int pc = 0; pc < part.pseudo_channels; ++pc) {
    pseudo_channels_.emplace_back(part, rate, policy, pc);
  }
}

void ReferenceChannel::accept(int pc, const Location& at, bool write, std::uint32_t tag) {
  CHECK(last_arrival_[pc] < now_, "a pseudo-channel is sent one request a tick");
  last_arrival_[pc] = now_;
  pseudo_channels_[pc].accept({at.bank, at.row, write, tag, now_});
}

Served ReferenceChannel::step() {
  ++now_;
  for (ReferencePseudoChannel& pc : pseudo_channels_) pc.begin_tick(now_);
  const Served served = issue_column();
  issue_row();
  return served;
}

void ReferenceChannel::skip_to(Tick tick) {
  CHECK(tick == now_, "the reference looks at every tick");
}

Served ReferenceChannel::issue_column() {
  Bus& bus = column_bus();
  if (now_ < bus.free) return {};
  for (int i = 0; i < pseudo_channels(); ++i) {
    const int pc = (bus.turn + i) % pseudo_channels();
    const auto column = pseudo_channels_[pc].next_column();
    if (!column) continue;
    const auto& request = column->request;
    const Command command = request.write ? Command::WR : Command::RD;
    pseudo_channels_[pc].serve(*column);
    take(bus, pc, command);
    record(pc, command, request.bank, request.row);
    const Tick latency = request.write ? write_latency_ : read_latency_;
    return {true, request.write, pc, request.tag, request.arrived, now_ + latency};
  }
  return {};
}

void ReferenceChannel::issue_row() {
  Bus& bus = row_bus();
  if (now_ < bus.free) return;
  for (int i = 0; i < pseudo_channels(); ++i) {
    const int pc = (bus.turn + i) % pseudo_channels();
    const auto row = pseudo_channels_[pc].next_row();
    if (!row) continue;
    pseudo_channels_[pc].issue(*row);
    take(bus, pc, row->command);
    record(pc, row->command, row->bank, row->command == Command::ACT ? row->request.row : 0);
    return;
  }
}

void ReferenceChannel::take(Bus& bus, int pc, Command command) {
  bus.free = now_ + slots_of(command, part_);
  bus.turn = (pc + 1) % pseudo_channels();
}

void ReferenceChannel::record(int pc, Command command, int bank, int row) {
  const int global_bank = pc * static_cast<int>(part_.total_banks()) + bank;
  int row_step = 0;
  if (command == Command::ACT) {
    row_step = (row - last_row_[global_bank] + rows_) % rows_;
    last_row_[global_bank] = row;
  }
  log_hash_.append(now_ - last_command_, command, global_bank, row_step);
  last_command_ = now_;
  if (log_ != nullptr) log_->push_back({now_, pc, command, bank, row});
}

}  // namespace presil::dram

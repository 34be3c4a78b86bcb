#include "dram/counts.h"

namespace presil::dram {
namespace {

/// a + b x times, number by number.
ChannelCounts add(ChannelCounts a, const ChannelCounts& b, std::int64_t times) {
  for (std::size_t i = 0; i < a.commands.size(); ++i) a.commands[i] += b.commands[i] * times;
  a.hits += b.hits * times;
  a.misses += b.misses * times;
  a.conflicts += b.conflicts * times;
  a.refresh_ticks += b.refresh_ticks * times;
  a.row_ticks += b.row_ticks * times;
  a.turnaround_ticks += b.turnaround_ticks * times;
  return a;
}

BankCounts add(BankCounts a, const BankCounts& b, std::int64_t times) {
  a.activates += b.activates * times;
  a.conflicts += b.conflicts * times;
  a.reads += b.reads * times;
  a.writes += b.writes * times;
  return a;
}

}  // namespace

BusShares bus_shares(const ChannelCounts& counts, Tick burst_ticks, double bus_ticks) {
  if (bus_ticks == 0) return {.other = 1};
  const auto share = [&](std::int64_t ticks) { return static_cast<double>(ticks) / bus_ticks; };
  BusShares shares{.data = share((counts.of(Command::RD) + counts.of(Command::WR)) * burst_ticks),
                   .refresh = share(counts.refresh_ticks),
                   .row = share(counts.row_ticks),
                   .turnaround = share(counts.turnaround_ticks)};
  shares.other = 1 - shares.data - shares.refresh - shares.row - shares.turnaround;
  return shares;
}

ChannelCounts& ChannelCounts::operator+=(const ChannelCounts& other) {
  return *this = add(*this, other, 1);
}
ChannelCounts ChannelCounts::operator-(const ChannelCounts& other) const {
  return add(*this, other, -1);
}
ChannelCounts ChannelCounts::operator*(std::int64_t times) const {
  return add({}, *this, times);
}

BankCounts& BankCounts::operator+=(const BankCounts& other) {
  return *this = add(*this, other, 1);
}
BankCounts BankCounts::operator-(const BankCounts& other) const {
  return add(*this, other, -1);
}
BankCounts BankCounts::operator*(std::int64_t times) const {
  return add({}, *this, times);
}

}  // namespace presil::dram

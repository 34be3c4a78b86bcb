#include "dram/check/checker.h"

#include <algorithm>
#include <bit>

namespace presil::dram {
namespace {

// JEDEC lets 8 refreshes be postponed, so that 9 tREFI lie between two. A quarter more, for what is
// under way when the last of them falls due: its data is moved and its rows are shut first.
constexpr std::int64_t kRefreshesApart = 9;
constexpr std::int64_t kShareToShutRows = 4;

const LoggedCommand& later(const LoggedCommand& a, const LoggedCommand& b) {
  return a.tick < b.tick ? b : a;
}

}  // namespace

void Violations::add(const Violation& violation) {
  ++count_;
  ++by_rule_[static_cast<std::size_t>(violation.rule)];
  if (kept_.size() < kKept) kept_.push_back(violation);
}

Checker::Checker(const MemoryPart& part, BitsPerSecond rate, int channels)
    : part_(part),
      gaps_(part, rate),
      channel_count_(channels),
      banks_(static_cast<int>(part.banks)),
      groups_a_stack_(static_cast<int>(part.bank_groups)),
      longest_refresh_gap_(kRefreshesApart * gaps_.refresh_interval +
                           gaps_.refresh_interval / kShareToShutRows),
      most_bursts_(static_cast<std::size_t>(
          std::max(gaps_.read_latency, gaps_.write_latency) / gaps_.burst + 2)) {
  for (int c = 0; c < kCommands; ++c) {
    slots_[static_cast<std::size_t>(c)] = command_slots(part, static_cast<Command>(c));
  }
}

void Checker::check(int channel, const LoggedCommand& command, std::int64_t line) {
  ++commands_;
  now_ = command;
  channel_ = channel;
  line_ = line;
  if (!is_in_range()) return broken(Rule::address, kNone);

  Channel& state = channel_of_now();
  if (now_.tick < state.last.tick) {
    broken(Rule::order, state.last, 0, now_.tick - state.last.tick);
    state.row_bus = state.column_bus = {};  // held by what comes later: one complaint is enough
  }
  check_slots(state);
  PseudoChannel& pc = state.pseudo_channels[static_cast<std::size_t>(now_.pseudo_channel)];
  switch (now_.command) {
    case Command::ACT:
      activate(pc);
      break;
    case Command::PREpb:
      precharge(pc);
      break;
    case Command::PREab:
      precharge_all(pc);
      break;
    case Command::RD:
      read(pc);
      break;
    case Command::WR:
      write(pc);
      break;
    case Command::REFab:
      refresh_all(pc);
      break;
    case Command::REFpb:
    case Command::RFM:
      refresh_bank(pc);
      break;
  }
  state.last = pc.last = now_;
  pc.last_line = line;
}

bool Checker::is_in_range() const {
  const auto below = [](std::int64_t index, std::int64_t count) {
    return index >= 0 && index < count;
  };
  return below(channel_, channel_count_) && below(now_.pseudo_channel, part_.pseudo_channels) &&
         below(now_.bank, part_.total_banks()) && below(now_.row, part_.rows) &&
         below(now_.tick, kNever);
}

Checker::Channel& Checker::channel_of_now() {
  const auto index = static_cast<std::size_t>(channel_);
  if (index >= channels_.size()) channels_.resize(index + 1);
  if (!channels_[index]) {
    PseudoChannel pc;
    pc.banks.resize(static_cast<std::size_t>(part_.total_banks()));
    pc.groups.resize(static_cast<std::size_t>(part_.stack_ids * part_.bank_groups));
    channels_[index] = std::make_unique<Channel>();
    channels_[index]->pseudo_channels.assign(static_cast<std::size_t>(part_.pseudo_channels), pc);
  }
  return *channels_[index];
}

void Checker::broken(Rule rule, const LoggedCommand& first, Tick required, Tick found) {
  Violation violation{rule, channel_, line_, required, found, std::nullopt, now_};
  if (first.tick >= 0) violation.first = first;
  violations_.add(violation);
}

void Checker::check_slots(Channel& channel) {
  const bool column = is_column(now_.command);
  Bus& bus = column && !part_.shared_command_bus ? channel.column_bus : channel.row_bus;
  if (now_.tick < bus.free) {
    const Rule rule = part_.shared_command_bus ? Rule::command_bus
                      : column                 ? Rule::column_bus
                                               : Rule::row_bus;
    broken(rule, bus.last, bus.free - bus.last.tick, now_.tick - bus.last.tick);
  }
  const Tick end = now_.tick + slots_[static_cast<std::size_t>(now_.command)];
  if (end >= bus.free) bus = {end, now_};

  const bool any_slot = now_.command == Command::PREpb || now_.command == Command::PREab;
  if (!any_slot && now_.tick % part_.ticks_per_clock != part_.ticks_per_clock - 1) {
    broken(Rule::clock_edge, kNone);
  }
}

// ---- rows ---------------------------------------------------------------------------------------

void Checker::activate(PseudoChannel& pc) {
  Bank& bank = pc.banks[static_cast<std::size_t>(now_.bank)];
  if (is_open(pc)) broken(Rule::row_open, bank.act);
  expect(gaps_.act_act_bank, bank.act);
  expect(gaps_.pre_act, bank.pre);
  expect(gaps_.preab_act, pc.preab);
  expect(gaps_.refab_act, pc.refab);
  expect(gaps_.refresh_act_bank, bank.busy);
  expect(gaps_.refresh_act_other, pc.busy.bank == now_.bank ? pc.busy_other : pc.busy);
  const int group = group_of(now_.bank);
  for (int g = 0; const Group& other : pc.groups) {
    expect(g++ == group ? gaps_.act_act_l : gaps_.act_act_s, other.act);
  }
  expect(gaps_.act_act_fourth, pc.acts[pc.fourth_last]);

  bank.row = now_.row;
  bank.act = pc.groups[static_cast<std::size_t>(group)].act = pc.act = now_;
  pc.acts[pc.fourth_last] = now_;
  pc.fourth_last = (pc.fourth_last + 1) % pc.acts.size();
  pc.open |= std::uint64_t{1} << now_.bank;
}

void Checker::precharge(PseudoChannel& pc) {
  Bank& bank = pc.banks[static_cast<std::size_t>(now_.bank)];
  if (!is_open(pc)) ++idle_precharges_;
  expect(gaps_.act_pre, bank.act);
  expect(gaps_.rd_pre, bank.rd);
  expect(gaps_.wr_pre, bank.wr);
  expect(gaps_.pre_pre, later(pc.pre, pc.preab));
  expect(gaps_.refab_pre, pc.refab);
  expect(gaps_.refresh_pre, bank.busy);

  bank.pre = pc.pre = now_;
  pc.open &= ~(std::uint64_t{1} << now_.bank);
}

void Checker::precharge_all(PseudoChannel& pc) {
  if (pc.open == 0) ++idle_precharges_;
  expect(gaps_.act_pre, pc.act);
  expect(gaps_.rd_pre, pc.rd);
  expect(gaps_.wr_pre, pc.wr);
  expect(gaps_.pre_pre, later(pc.pre, pc.preab));
  expect(gaps_.refab_pre, pc.refab);
  expect(gaps_.refresh_pre, pc.busy);

  pc.preab = now_;
  pc.open = 0;
}

// ---- columns ------------------------------------------------------------------------------------

void Checker::check_row(const PseudoChannel& pc) {
  const Bank& bank = pc.banks[static_cast<std::size_t>(now_.bank)];
  if (!is_open(pc)) {
    broken(Rule::row_shut, later(bank.pre, pc.preab));
  } else if (bank.row != now_.row) {
    broken(Rule::other_row, bank.act);
  }
}

void Checker::read(PseudoChannel& pc) {
  check_row(pc);
  Bank& bank = pc.banks[static_cast<std::size_t>(now_.bank)];
  expect(gaps_.act_rd, bank.act);
  const int group = group_of(now_.bank), stack_id = group / groups_a_stack_;
  for (int g = 0; const Group& other : pc.groups) {
    const bool same_group = g == group, same_stack = g / groups_a_stack_ == stack_id;
    expect(same_group ? gaps_.rd_rd_l : same_stack ? gaps_.rd_rd_s : gaps_.rd_rd_r, other.rd);
    expect(same_group ? gaps_.wr_rd_l : gaps_.wr_rd_s, other.wr);
    ++g;
  }
  use_data_bus(pc);
  bank.rd = pc.groups[static_cast<std::size_t>(group)].rd = pc.rd = now_;
}

void Checker::write(PseudoChannel& pc) {
  check_row(pc);
  Bank& bank = pc.banks[static_cast<std::size_t>(now_.bank)];
  expect(gaps_.act_wr, bank.act);
  expect(gaps_.rd_wr, pc.rd);
  const int group = group_of(now_.bank), stack_id = group / groups_a_stack_;
  for (int g = 0; const Group& other : pc.groups) {
    const bool same_group = g == group, same_stack = g / groups_a_stack_ == stack_id;
    expect(same_group ? gaps_.wr_wr_l : same_stack ? gaps_.wr_wr_s : gaps_.wr_wr_r, other.wr);
    ++g;
  }
  use_data_bus(pc);
  bank.wr = pc.groups[static_cast<std::size_t>(group)].wr = pc.wr = now_;
}

void Checker::use_data_bus(PseudoChannel& pc) {
  const bool is_read = now_.command == Command::RD;
  const Tick latency = is_read ? gaps_.read_latency : gaps_.write_latency;
  const Tick from = now_.tick + latency;
  const Tick next_from = now_.tick + std::min(gaps_.read_latency, gaps_.write_latency);
  for (std::deque<Burst>* bursts : {&pc.reads, &pc.writes}) {
    while (!bursts->empty() &&
           (bursts->front().from + gaps_.burst <= next_from || bursts->size() > most_bursts_)) {
      bursts->pop_front();
    }
  }
  expect_apart(pc.reads, from, gaps_.read_latency + gaps_.burst - latency);
  expect_apart(pc.writes, from, gaps_.write_latency + gaps_.burst - latency);
  (is_read ? pc.reads : pc.writes).push_back({from, now_});
}

void Checker::expect_apart(const std::deque<Burst>& bursts, Tick from, Tick required) {
  const auto before = [&](const Burst& burst) { return burst.from + gaps_.burst <= from; };
  if (bursts.empty() || before(bursts.back())) return;
  const auto next = std::partition_point(bursts.begin(), bursts.end(), before);
  if (next != bursts.end() && next->from < from + gaps_.burst) {
    broken(Rule::data_bus, next->command, required, now_.tick - next->command.tick);
  }
}

// ---- refresh ------------------------------------------------------------------------------------

void Checker::refresh_bank(PseudoChannel& pc) {
  Bank& bank = pc.banks[static_cast<std::size_t>(now_.bank)];
  if (is_open(pc)) broken(Rule::row_open, bank.act);
  expect(gaps_.act_refresh_bank, bank.act);
  expect(gaps_.pre_refresh, bank.pre);
  expect(gaps_.preab_refresh, pc.preab);
  expect(gaps_.refab_refresh, pc.refab);
  expect(gaps_.refresh_refresh_bank, bank.busy);
  expect(gaps_.refresh_refresh_other, pc.busy.bank == now_.bank ? pc.busy_other : pc.busy);
  const int group = group_of(now_.bank);
  for (int g = 0; const Group& other : pc.groups) {
    expect(g++ == group ? gaps_.act_refresh_l : gaps_.act_refresh_s, other.act);
  }

  bank.busy = now_;
  if (pc.busy.bank != now_.bank) pc.busy_other = pc.busy;
  pc.busy = now_;
  if (now_.command == Command::RFM) return;  // it mends neighbours of busy rows; cells still leak
  check_refresh_since(last_refresh(pc, bank));
  bank.refreshed = now_;
  ++bank.refreshes;
  ++refreshes_;
}

void Checker::refresh_all(PseudoChannel& pc) {
  if (pc.open != 0) {
    const auto lowest = static_cast<std::size_t>(std::countr_zero(pc.open));
    broken(Rule::row_open, pc.banks[lowest].act);
  }
  expect(gaps_.act_refab, pc.act);
  expect(gaps_.pre_refab, pc.pre);
  expect(gaps_.preab_refab, pc.preab);
  expect(gaps_.refab_refab, pc.refab);
  expect(gaps_.refresh_refab, pc.busy);

  check_refresh_since(last_refresh(pc, longest_without_refresh(pc)));
  pc.refab = now_;
  ++pc.all_refreshes;
  ++refreshes_;
}

const LoggedCommand& Checker::last_refresh(const PseudoChannel& pc, const Bank& bank) const {
  return later(bank.refreshed, pc.refab);
}

const Checker::Bank& Checker::longest_without_refresh(const PseudoChannel& pc) const {
  return *std::min_element(pc.banks.begin(), pc.banks.end(), [&](const Bank& a, const Bank& b) {
    return last_refresh(pc, a).tick < last_refresh(pc, b).tick;
  });
}

void Checker::check_refresh_since(const LoggedCommand& last) {
  const Tick passed = now_.tick - std::max<Tick>(last.tick, 0);
  if (passed > longest_refresh_gap_) broken(Rule::tREFI, last, longest_refresh_gap_, passed);
}

void Checker::finish() {
  if (refreshes_ == 0) return;
  for (channel_ = 0; channel_ < static_cast<int>(channels_.size()); ++channel_) {
    if (!channels_[static_cast<std::size_t>(channel_)]) continue;
    for (const PseudoChannel& pc : channels_[static_cast<std::size_t>(channel_)]->pseudo_channels) {
      if (pc.last.tick < 0) continue;
      now_ = pc.last;
      line_ = pc.last_line;
      const Bank& bank = longest_without_refresh(pc);
      check_refresh_since(last_refresh(pc, bank));
      // Refresh by refresh the gaps may be right and still be too long on the whole.
      const std::int64_t due = now_.tick / gaps_.refresh_interval;
      const auto fewest =
          std::min_element(pc.banks.begin(), pc.banks.end(),
                           [](const Bank& a, const Bank& b) { return a.refreshes < b.refreshes; });
      const std::int64_t done = pc.all_refreshes + fewest->refreshes;
      if (done + kRefreshesApart < due) {
        broken(Rule::refresh_rate, last_refresh(pc, *fewest));
      }
    }
  }
}

}  // namespace presil::dram

#include "dram/timing.h"

#include "base/error.h"

namespace presil::dram {

std::string_view to_string(Command command) {
  switch (command) {
    case Command::ACT:
      return "ACT";
    case Command::PREpb:
      return "PREpb";
    case Command::PREab:
      return "PREab";
    case Command::RD:
      return "RD";
    case Command::WR:
      return "WR";
    case Command::REFab:
      return "REFab";
    case Command::REFpb:
      return "REFpb";
    case Command::RFM:
      return "RFM";
  }
  return "";
}

std::vector<TimingRule> timing_rules(const MemoryPart& part, BitsPerSecond rate) {
  using enum Command;
  using enum Scope;
  const auto n = [&](const DramTiming& timing) { return part.clocks(timing, rate); };
  const std::int64_t nBL = part.burst_clocks();
  const std::int64_t written = n(part.tCWL) + nBL;  // WR to the end of its data

  return {
      {bank, ACT, RD, n(part.tRCDRD)},
      {bank, ACT, WR, n(part.tRCDWR)},
      {bank, ACT, PREpb, n(part.tRAS)},
      {bank, ACT, ACT, n(part.tRC)},
      {bank, PREpb, ACT, n(part.tRP)},
      {bank, RD, PREpb, n(part.tRTP)},
      {bank, WR, PREpb, written + n(part.tWR)},

      {pseudo_channel, ACT, ACT, n(part.tRRDS)},
      {bank_group, ACT, ACT, n(part.tRRDL)},
      {pseudo_channel, ACT, ACT, n(part.tFAW), 4},
      {pseudo_channel, PREpb, PREpb, n(part.tPPD)},

      {pseudo_channel, RD, RD, n(part.tCCDS)},
      {pseudo_channel, WR, WR, n(part.tCCDS)},
      {bank_group, RD, RD, n(part.tCCDL)},
      {bank_group, WR, WR, n(part.tCCDLWR)},
      {other_stack_ids, RD, RD, n(part.tCCDR)},
      {other_stack_ids, WR, WR, n(part.tCCDR)},
      {pseudo_channel, RD, WR, n(part.tRTW)},
      {pseudo_channel, WR, RD, written + n(part.tWTRS)},
      {bank_group, WR, RD, written + n(part.tWTRL)},

      // Commands to all banks.
      {pseudo_channel, ACT, PREab, n(part.tRAS)},
      {pseudo_channel, RD, PREab, n(part.tRTP)},
      {pseudo_channel, WR, PREab, written + n(part.tWR)},
      {pseudo_channel, PREpb, PREab, n(part.tPPD)},
      {pseudo_channel, PREab, PREab, n(part.tPPD)},
      {pseudo_channel, PREab, PREpb, n(part.tPPD)},
      {pseudo_channel, PREab, ACT, n(part.tRPab)},

      // All-bank refresh.
      {pseudo_channel, ACT, REFab, n(part.tRC)},
      {pseudo_channel, PREpb, REFab, n(part.tRP)},
      {pseudo_channel, PREab, REFab, n(part.tRPab)},
      {pseudo_channel, REFab, ACT, n(part.tRFCab)},
      {pseudo_channel, REFab, PREab, n(part.tRFCab)},
      {pseudo_channel, REFab, REFab, n(part.tRFCab)},

      // Per-bank refresh: the bank itself waits tRFCpb, the others go on after tRREFD.
      {bank, ACT, REFpb, n(part.tRC)},
      {bank, PREpb, REFpb, n(part.tRP)},
      {bank, REFpb, ACT, n(part.tRFCpb)},
      {bank, REFpb, REFpb, n(part.tRFCpb)},
      {pseudo_channel, ACT, REFpb, n(part.tRRDS)},
      {pseudo_channel, REFpb, ACT, n(part.tRREFD)},
      {pseudo_channel, REFpb, REFpb, n(part.tRREFD)},

      // Refresh management of one bank: as a REFpb of it.
      {bank, ACT, RFM, n(part.tRC)},
      {bank, PREpb, RFM, n(part.tRP)},
      {bank, RFM, ACT, n(part.tRFCpb)},
      {bank, RFM, RFM, n(part.tRFCpb)},
      {bank, RFM, REFpb, n(part.tRFCpb)},
      {bank, REFpb, RFM, n(part.tRFCpb)},
      {pseudo_channel, ACT, RFM, n(part.tRRDS)},
      {pseudo_channel, RFM, ACT, n(part.tRREFD)},
      {pseudo_channel, RFM, RFM, n(part.tRREFD)},
      {pseudo_channel, RFM, REFpb, n(part.tRREFD)},
      {pseudo_channel, REFpb, RFM, n(part.tRREFD)},
      {pseudo_channel, RFM, REFab, n(part.tRFCpb)},
      {pseudo_channel, PREab, RFM, n(part.tRPab)},
      {pseudo_channel, REFab, RFM, n(part.tRFCab)},
  };
}

std::int64_t slots_of(Command command, const MemoryPart& part) {
  switch (command) {
    case Command::ACT:
      return part.act_ticks;
    case Command::PREpb:
    case Command::PREab:
      return part.pre_ticks;
    case Command::RD:
    case Command::WR:
      return part.column_ticks;
    case Command::REFab:
    case Command::REFpb:
    case Command::RFM:
      return part.refresh_ticks;
  }
  return 1;
}

BankPlace place_of(int bank, const MemoryPart& part) {
  const int group = bank / static_cast<int>(part.banks);
  return {group / static_cast<int>(part.bank_groups), group};
}

// Slots: one row of commands for the pseudo-channel, then each stack ID, bank group and bank.
TimingTable::TimingTable(const MemoryPart& part, BitsPerSecond rate)
    : banks_(static_cast<std::size_t>(part.total_banks())) {
  const int banks = static_cast<int>(part.total_banks());
  const int stacks = static_cast<int>(part.stack_ids);
  const int groups = stacks * static_cast<int>(part.bank_groups);
  for (int bank = 0; bank < banks; ++bank) {
    const BankPlace place = place_of(bank, part);
    bank_slots_.push_back({(1 + place.stack_id) * kCommands, (1 + stacks + place.group) * kCommands,
                           (1 + stacks + groups + bank) * kCommands});
  }
  slots_ = (1 + stacks + groups + banks) * kCommands;

  const std::vector<TimingRule> rules = timing_rules(part, rate);
  for (const TimingRule& rule : rules) {
    if (rule.window == 1) continue;
    CHECK(rule.scope == Scope::pseudo_channel && rule.from == rule.to,
          "a window counts one command over the pseudo-channel");
    windows_.push_back({rule.from, gap(rule, part), rule.window});
  }
  for (int command = 0; command < kCommands; ++command) {
    for (int bank = 0; bank < banks; ++bank) {
      first_.push_back(static_cast<std::int32_t>(updates_.size()));
      for (const TimingRule& rule : rules) {
        if (static_cast<int>(rule.from) == command && rule.window == 1) add(rule, bank, part);
      }
    }
  }
  first_.push_back(static_cast<std::int32_t>(updates_.size()));
  find_live();
}

void TimingTable::find_live() {
  const int first_stack = kCommands;
  const int first_group = bank_slots_[0].group, first_bank = bank_slots_[0].bank;
  std::array<std::uint32_t, 4> seen{};
  const auto see = [&](int slot) {
    const Scope level = slot < first_stack   ? Scope::pseudo_channel
                        : slot < first_group ? Scope::other_stack_ids
                        : slot < first_bank  ? Scope::bank_group
                                             : Scope::bank;
    seen[static_cast<std::size_t>(level)] |= 1U << (slot % kCommands);
  };
  for (const Update& update : updates_) see(update.slot);
  for (const Window& window : windows_) see(static_cast<int>(window.command));
  for (std::size_t level = 0; level < seen.size(); ++level) {
    for (int c = 0; c < kCommands; ++c) {
      if ((seen[level] & 1U << c) != 0) live_[level].push_back(c);
    }
  }
}

/// From the first slot of one command to the first slot of the other.
std::int32_t TimingTable::gap(const TimingRule& rule, const MemoryPart& part) const {
  return static_cast<std::int32_t>(rule.cycles * part.ticks_per_clock + slots_of(rule.from, part) -
                                   slots_of(rule.to, part));
}

void TimingTable::add(const TimingRule& rule, int bank, const MemoryPart& part) {
  const std::int32_t ticks = gap(rule, part);
  const int to = static_cast<int>(rule.to);
  switch (rule.scope) {
    case Scope::bank:
      updates_.push_back({bank_slots_[bank].bank + to, ticks});
      return;
    case Scope::bank_group:
      updates_.push_back({bank_slots_[bank].group + to, ticks});
      return;
    case Scope::other_stack_ids:
      for (int id = 0; id < part.stack_ids; ++id) {
        const int slot = (1 + id) * kCommands;
        if (slot != bank_slots_[bank].stack) updates_.push_back({slot + to, ticks});
      }
      return;
    case Scope::pseudo_channel:
      updates_.push_back({to, ticks});
      return;
  }
}

TimingState::TimingState(const TimingTable& table)
    : table_(&table), earliest_(static_cast<std::size_t>(table.slots()), 0) {
  for (const TimingTable::Window& window : table.windows()) {
    rings_.push_back({std::vector<Tick>(static_cast<std::size_t>(window.window), -kNever), 0});
  }
}

void TimingState::issue(Command command, int bank, Tick tick) {
  for (const TimingTable::Update& update : table_->updates(command, bank)) {
    Tick& slot = earliest_[update.slot];
    slot = std::max(slot, tick + update.gap);
  }
  for (std::size_t i = 0; i < rings_.size(); ++i) {
    const TimingTable::Window& window = table_->windows()[i];
    if (window.command != command) continue;
    push_issue(static_cast<int>(i), tick);
    const Ring& ring = rings_[i];
    Tick& slot = earliest_[static_cast<std::size_t>(command)];
    slot = std::max(slot, ring.ticks[ring.oldest] + window.gap);
  }
}

}  // namespace presil::dram

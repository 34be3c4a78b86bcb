#include "dram/timing.h"

#include "base/error.h"

namespace presil::dram {

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
      {bank_group, ACT, REFpb, n(part.tRRDL)},
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
      {bank_group, ACT, RFM, n(part.tRRDL)},
      {pseudo_channel, RFM, ACT, n(part.tRREFD)},
      {pseudo_channel, RFM, RFM, n(part.tRREFD)},
      {pseudo_channel, RFM, REFpb, n(part.tRREFD)},
      {pseudo_channel, REFpb, RFM, n(part.tRREFD)},
      {pseudo_channel, RFM, PREab, n(part.tRFCpb)},
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

// Places: the pseudo-channel, then each stack ID, bank group and bank.
TimingTable::TimingTable(const MemoryPart& part, BitsPerSecond rate, unsigned used,
                         int skipped_rule)
    : banks_(static_cast<std::size_t>(part.total_banks())) {
  const int banks = static_cast<int>(part.total_banks());
  const int stacks = static_cast<int>(part.stack_ids);
  const int groups = stacks * static_cast<int>(part.bank_groups);
  for (int bank = 0; bank < banks; ++bank) {
    const BankPlace place = place_of(bank, part);
    bank_places_.push_back(
        {1 + place.stack_id, 1 + stacks + place.group, 1 + stacks + groups + bank});
  }
  places_ = 1 + stacks + groups + banks;

  std::vector<TimingRule> rules = timing_rules(part, rate);
  if (skipped_rule >= 0) rules.erase(rules.begin() + skipped_rule);
  std::erase_if(rules, [&](const TimingRule& rule) {
    const unsigned both = 1U << static_cast<int>(rule.from) | 1U << static_cast<int>(rule.to);
    return (both & ~used) != 0;
  });
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
}

/// From the first slot of one command to the first slot of the other.
std::int32_t TimingTable::gap(const TimingRule& rule, const MemoryPart& part) const {
  return static_cast<std::int32_t>(rule.cycles * part.ticks_per_clock + slots_of(rule.from, part) -
                                   slots_of(rule.to, part));
}

void TimingTable::add(const TimingRule& rule, int bank, const MemoryPart& part) {
  const std::int32_t ticks = gap(rule, part);
  const auto push_back = [&](int place) { updates_.push_back({slot(rule.to, place), ticks}); };
  const Places& own = bank_places_[static_cast<std::size_t>(bank)];
  switch (rule.scope) {
    case Scope::bank:
      return push_back(own.bank);
    case Scope::bank_group:
      return push_back(own.group);
    case Scope::other_stack_ids:
      for (int id = 0; id < part.stack_ids; ++id) {
        if (1 + id != own.stack_id) push_back(1 + id);
      }
      return;
    case Scope::pseudo_channel:
      return push_back(0);
  }
}

TimingState::TimingState(const TimingTable& table)
    : table_(&table), earliest_(static_cast<std::size_t>(table.slots()), 0) {
  for (const TimingTable::Window& window : table.windows()) {
    rings_.push_back({std::vector<Tick>(static_cast<std::size_t>(window.window), -kNever), 0});
    windowed_ |= 1U << static_cast<int>(window.command);
  }
}

void TimingState::note_in_windows(Command command, Tick tick) {
  for (std::size_t i = 0; i < rings_.size(); ++i) {
    const TimingTable::Window& window = table_->windows()[i];
    if (window.command != command) continue;
    push_issue(static_cast<int>(i), tick);
    const Ring& ring = rings_[i];
    Tick& slot = at(table_->slot(command, 0));
    slot = std::max(slot, ring.ticks[ring.oldest] + window.gap);
  }
}

}  // namespace presil::dram

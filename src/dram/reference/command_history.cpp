#include "dram/reference/command_history.h"

#include <algorithm>

#include "base/error.h"

namespace presil::dram {
namespace {

std::size_t index(Command command) {
  return static_cast<std::size_t>(command);
}

/// Precharges start on any tick, all else on the rising edges of CK.
bool needs_edge(Command command) {
  return command != Command::PREpb && command != Command::PREab;
}

}  // namespace

CommandHistory::CommandHistory(const MemoryPart& part, BitsPerSecond rate) : part_(part) {
  int longest_window = 1;
  for (const TimingRule& rule : timing_rules(part, rate)) {
    CHECK(rule.window == 1 || rule.scope == Scope::pseudo_channel,
          "a window counts over the pseudo-channel");
    rules_[index(rule.to)].push_back(rule);
    longest_window = std::max(longest_window, rule.window);
  }
  for (int c = 0; c < kCommands; ++c) slots_[c] = slots_of(static_cast<Command>(c), part);
  for (Issues& issues : issues_) {
    issues.at_bank.assign(part.total_banks(), -kNever);
    issues.at_group.assign(part.stack_ids * part.bank_groups, -kNever);
    issues.at_stack.assign(part.stack_ids, -kNever);
    issues.latest.assign(longest_window, -kNever);
  }
}

bool CommandHistory::allows(Command command, int bank, Tick tick) const {
  const Tick last_slot_of_clock = part_.ticks_per_clock - 1;
  if (needs_edge(command) && tick % part_.ticks_per_clock != last_slot_of_clock) return false;
  for (const TimingRule& rule : rules_[index(command)]) {
    const Tick end_of_from = tick_before(rule, bank) + slots_[index(rule.from)];
    const Tick end_of_to = tick + slots_[index(command)];
    if (end_of_to - end_of_from < rule.cycles * part_.ticks_per_clock) return false;
  }
  return true;
}

void CommandHistory::add(Command command, int bank, Tick tick) {
  const BankPlace place = place_of(bank, part_);
  Issues& issues = issues_[index(command)];
  issues.at_bank[bank] = tick;
  issues.at_group[place.group] = tick;
  issues.at_stack[place.stack_id] = tick;
  issues.latest.push_front(tick);
  issues.latest.pop_back();
}

Tick CommandHistory::tick_before(const TimingRule& rule, int bank) const {
  const BankPlace place = place_of(bank, part_);
  const Issues& issues = issues_[index(rule.from)];
  switch (rule.scope) {
    case Scope::bank:
      return issues.at_bank[bank];
    case Scope::bank_group:
      return issues.at_group[place.group];
    case Scope::other_stack_ids: {
      Tick latest = -kNever;
      for (int id = 0; id < part_.stack_ids; ++id) {
        if (id != place.stack_id) latest = std::max(latest, issues.at_stack[id]);
      }
      return latest;
    }
    case Scope::pseudo_channel:
      return issues.latest[rule.window - 1];
  }
  return -kNever;
}

}  // namespace presil::dram

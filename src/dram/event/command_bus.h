// The command buses of a channel, which its pseudo-channels share, and the record of what passed.
#pragma once

#include <array>
#include <vector>

#include "chip/memory_part.h"
#include "dram/command.h"
#include "dram/log_hash.h"
#include "dram/state_key.h"

namespace presil::dram {

/// By bus: row, column; where they are one, the first counts.
struct BusState {
  std::array<Tick, 2> free{};
  std::array<int, 2> turn{};
};

class CommandBus {
 public:
  explicit CommandBus(const MemoryPart& part);

  /// Of the row bus, and of the column bus; one and the same where the part shares it.
  Tick row_free() const { return free_[0]; }
  Tick column_free() const { return free_[column_]; }
  /// The pseudo-channel that is asked first.
  int row_turn() const { return turn_[0]; }
  int column_turn() const { return turn_[column_]; }

  /// Requires the command's bus to be free.
  void issue(Tick now, int pseudo_channel, Command command, int bank, int row) {
    const std::size_t bus = is_column(command) ? column_ : 0;
    free_[bus] = now + slots_[static_cast<std::size_t>(command)];
    turn_[bus] = pseudo_channel + 1 == pseudo_channels_ ? 0 : pseudo_channel + 1;
    if (hashes_) hash(now, pseudo_channel * banks_ + bank, command, row);
    if (log_ != nullptr) log_->push_back({now, pseudo_channel, command, bank, row});
  }

  const LogHash& log_hash() const { return hash_; }
  void log_to(std::vector<LoggedCommand>* log) { log_ = log; }
  /// From here on log_hash() means nothing; for replay, which does not issue every command.
  void stop_hashing() { hashes_ = false; }

  BusState state() const { return {free_, turn_}; }
  void set_state(const BusState& state) {
    free_ = state.free;
    turn_ = state.turn;
  }

  void describe(StateKey& key) const;
  void shift(const StateShift& shift);
  /// As if what was issued from `from` to `to` had been issued `times` times more after `from`.
  void repeat_hash(const LogHash& from, const LogHash& to, std::int64_t times);

 private:
  void hash(Tick now, int global_bank, Command command, int row) {
    const auto bank = static_cast<std::size_t>(global_bank);
    std::int64_t row_step = 0;
    if (command == Command::ACT) {
      int& last = last_row_[bank];
      row_step = row - last;
      if (row_step < 0) row_step += rows_;
      last = row;
    }
    const std::size_t which = static_cast<std::size_t>(command) * last_row_.size() + bank;
    hash_.append(now - last_issue_, which_[which], row_step);
    last_issue_ = now;
  }

  int pseudo_channels_, banks_, rows_;
  std::size_t column_;
  std::array<Tick, kCommands> slots_{};
  std::array<Tick, 2> free_{};
  std::array<int, 2> turn_{};
  Tick last_issue_ = 0;
  std::vector<int> last_row_;         // by bank, over the pseudo-channels
  std::vector<std::uint64_t> which_;  // LogHash::which, by command and such a bank
  LogHash hash_;
  bool hashes_ = true;
  std::vector<LoggedCommand>* log_ = nullptr;
};

}  // namespace presil::dram

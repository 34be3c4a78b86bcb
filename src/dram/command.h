// The commands of a DRAM channel, and the tick that counts their slots.
#pragma once

#include <cstdint>
#include <string_view>

namespace presil::dram {

/// A count of command slots since the start.
using Tick = std::int64_t;
inline constexpr Tick kNever = INT64_MAX / 4;

/// JEDEC's names. RFM is of one bank, as REFpb is.
enum class Command : std::uint8_t { ACT, PREpb, PREab, RD, WR, REFab, REFpb, RFM };
inline constexpr int kCommands = 8;
std::string_view to_string(Command command);

constexpr bool is_column(Command command) {
  return command == Command::RD || command == Command::WR;
}

/// One line of a command log.
struct LoggedCommand {
  Tick tick = 0;
  int pseudo_channel = 0;
  Command command = Command::ACT;
  int bank = 0;  // of the pseudo-channel; 0 for commands to all banks
  int row = 0;   // of ACT, RD and WR

  friend bool operator==(const LoggedCommand&, const LoggedCommand&) = default;
};

}  // namespace presil::dram

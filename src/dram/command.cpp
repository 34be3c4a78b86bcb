#include "dram/command.h"

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

}  // namespace presil::dram

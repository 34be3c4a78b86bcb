// Ctrl-C is a flag that long loops look at, so that files and the store are left whole.
#pragma once

namespace presil {

/// From now on SIGINT sets the flag. A second SIGINT ends the process at once.
void catch_interrupts();

/// Whether Ctrl-C was pressed since catch_interrupts().
bool interrupted();

/// Whether Ctrl-C was pressed, and from now on it was not: the caller has dealt with it.
bool take_interrupt();

/// While one lives, check_interrupt() lets work go on: its owner asks interrupted() or
/// take_interrupt() and stops where that leaves things whole.
class HoldInterrupts {
 public:
  HoldInterrupts();
  ~HoldInterrupts();
  HoldInterrupts(const HoldInterrupts&) = delete;
  HoldInterrupts& operator=(const HoldInterrupts&) = delete;
};

/// Throws Interrupted when Ctrl-C was pressed. Call it where stopping is safe: cheap enough for
/// every token, operator or design point.
void check_interrupt();

}  // namespace presil

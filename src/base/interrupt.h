// Ctrl-C is a flag that long loops look at, so that files and the store are left whole.
#pragma once

namespace presil {

/// From now on SIGINT sets the flag. A second SIGINT ends the process at once.
void catch_interrupts();

/// Whether Ctrl-C was pressed since catch_interrupts().
bool interrupted();

/// Throws Interrupted when Ctrl-C was pressed. Call it where stopping is safe: cheap enough for
/// every token, operator or design point.
void check_interrupt();

}  // namespace presil

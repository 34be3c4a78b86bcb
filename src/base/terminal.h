// What the stream we write to can show: a person's terminal, or a file or pipe that wants plain
// text.
#pragma once

namespace presil {

struct Terminal {
  bool interactive = false;  // a line may be rewritten in place
  bool colour = false;
  int width = 80;  // columns
};

/// What file descriptor `fd` (1 or 2) can show. Colour needs a terminal that is not "dumb" and no
/// NO_COLOR in the environment (https://no-color.org).
Terminal terminal_of(int fd);

}  // namespace presil

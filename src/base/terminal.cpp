#include "base/terminal.h"

#include <cstdlib>
#include <string_view>

#include <sys/ioctl.h>
#include <unistd.h>

namespace presil {

namespace {

std::string_view environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

}  // namespace

Terminal terminal_of(int fd) {
  Terminal terminal;
  if (isatty(fd) == 0) return terminal;
  const bool dumb = environment("TERM") == "dumb";
  terminal.interactive = !dumb;
  terminal.colour = !dumb && environment("NO_COLOR").empty();
  winsize size{};
  if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) terminal.width = size.ws_col;
  return terminal;
}

}  // namespace presil

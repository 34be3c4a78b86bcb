// A program that answers requests: started, written to, read from, and gone with this object.
//
// Its stdin and stdout are the two ends of one connection; its stderr is ours. No shell takes part.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace presil {

class ChildProcess {
 public:
  /// Starts `arguments[0]`, looked for in PATH. Throws MissingInput when it cannot be started.
  explicit ChildProcess(std::vector<std::string> arguments);
  /// Kills the program if it still runs.
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  /// Writes one line. Throws MissingInput when the program has ended, Interrupted on Ctrl-C.
  void write_line(std::string_view line);

  /// The next line of at most 16 MiB, without its end. Throws as write_line() does, and
  /// InternalError for a longer line.
  std::string read_line();

  /// The next bytes, as many as `bytes` has room for. Throws as write_line() does.
  void read(std::span<std::byte> bytes);

 private:
  /// Waits for bytes and appends them to what is buffered.
  void fill();
  [[noreturn]] void fail();

  std::string name_;
  pid_t process_ = -1;
  int connection_ = -1;
  std::string buffered_;  // read, and not asked for yet
};

}  // namespace presil

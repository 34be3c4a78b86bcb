#include "base/child_process.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>

#include <fmt/format.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/interrupt.h"

extern char** environ;

namespace presil {

ChildProcess::ChildProcess(std::vector<std::string> arguments) : name_(arguments.at(0)) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    throw MissingInput(fmt::format("{} could not be started: {}", name_, std::strerror(errno)));
  }
  connection_ = ends[0];
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  std::vector<char*> words;
  for (std::string& argument : arguments) words.push_back(argument.data());
  words.push_back(nullptr);
  const int error = posix_spawnp(&process_, words[0], &actions, nullptr, words.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  if (error == 0) return;
  close(connection_);
  throw MissingInput(fmt::format("{} could not be started: {}", name_, std::strerror(error)));
}

ChildProcess::~ChildProcess() {
  close(connection_);
  kill(process_, SIGKILL);  // it keeps nothing that a kill could leave half written
  while (waitpid(process_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

void ChildProcess::fail() {
  throw MissingInput(fmt::format("{} ended without an answer; its own words stand above", name_));
}

void ChildProcess::write_line(std::string_view line) {
  std::string rest = std::string(line) + "\n";
  while (!rest.empty()) {
    check_interrupt();
    const ssize_t sent = send(connection_, rest.data(), rest.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno != EINTR) fail();
    if (sent > 0) rest.erase(0, static_cast<std::size_t>(sent));
  }
}

void ChildProcess::fill() {
  char bytes[1 << 16];
  while (true) {
    check_interrupt();
    const ssize_t received = recv(connection_, bytes, sizeof bytes, 0);
    if (received < 0 && errno == EINTR) continue;
    if (received <= 0) fail();
    buffered_.append(bytes, static_cast<std::size_t>(received));
    return;
  }
}

std::string ChildProcess::read_line() {
  constexpr std::size_t kLongest = std::size_t{16} << 20;
  std::size_t searched = 0;
  std::size_t end = 0;
  while ((end = buffered_.find('\n', searched)) == std::string::npos) {
    CHECK(buffered_.size() <= kLongest, "an answer is a line of at most 16 MiB");
    searched = buffered_.size();
    fill();
  }
  std::string line = buffered_.substr(0, end);
  buffered_.erase(0, end + 1);
  return line;
}

void ChildProcess::read(std::span<std::byte> bytes) {
  while (!bytes.empty()) {
    if (buffered_.empty()) fill();
    const std::size_t count = std::min(bytes.size(), buffered_.size());
    std::memcpy(bytes.data(), buffered_.data(), count);
    buffered_.erase(0, count);
    bytes = bytes.subspan(count);
  }
}

}  // namespace presil

// What the fuzz targets share: bad input must end in a clear refusal, and in nothing else. A crash,
// a broken CHECK, a sanitizer's finding, a hang or an allocation out of proportion is a finding.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

#include <fmt/format.h>

#include "base/error.h"

namespace presil::fuzz {

/// Does `action`, which may refuse its input.
template <class F>
void may_refuse(F action) {
  try {
    action();
  } catch (const InputError&) {
  } catch (const MissingInput&) {
  } catch (const LimitReached&) {
  }
}

/// A file in memory, for readers that take a path.
class MemoryFile {
 public:
  MemoryFile() : fd_(memfd_create("input", MFD_CLOEXEC)) { CHECK(fd_ >= 0, "Linux has memfd"); }
  ~MemoryFile() { close(fd_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  void write(const std::uint8_t* data, std::size_t size) {
    const bool written =
        ftruncate(fd_, 0) == 0 && pwrite(fd_, data, size, 0) == static_cast<ssize_t>(size);
    CHECK(written, "memory is enough for one input");
  }
  std::filesystem::path path() const { return fmt::format("/proc/self/fd/{}", fd_); }

 private:
  int fd_;
};

}  // namespace presil::fuzz

// core_model TRACE [OPTION VALUE]...: a small core on a Presilicon memory; prints its IPC.
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <stdexcept>
#include <string>

#include "core.h"

namespace {

struct Arguments {
  std::string trace;
  std::string memory = "hbm3-6400";  // a name, or a file
  std::uint64_t loads = 100'000;
  CoreOptions core;
  presilicon::MemoryOptions options;
};

std::uint64_t number(const std::string& name, const std::string& text) {
  std::size_t used = 0;
  const unsigned long long value =
      text.find_first_not_of("0123456789") == std::string::npos ? std::stoull(text, &used) : 0;
  if (value == 0) throw std::runtime_error(name + ": expected a number above 0, found " + text);
  return value;
}

Arguments parse(int count, char** words) {
  Arguments a;
  a.options.channels = 1;
  a.options.share = PRESILICON_SHARE;
  if (count < 2 || count % 2 != 0) throw std::runtime_error("expected TRACE [OPTION VALUE]...");
  a.trace = words[1];
  for (int i = 2; i < count; i += 2) {
    const std::string name = words[i], value = words[i + 1];
    if (name == "--memory") {
      a.memory = value;
    } else if (name == "--set") {
      a.options.set.push_back(value);
    } else if (name == "--channels") {
      a.options.channels = static_cast<int>(number(name, value));
    } else if (name == "--loads") {
      a.loads = number(name, value);
    } else if (name == "--period") {
      a.core.period = number(name, value);
    } else if (name == "--width") {
      a.core.width = number(name, value);
    } else if (name == "--window") {
      a.core.window = number(name, value);
    } else {
      throw std::runtime_error(name +
                               ": expected --memory, --set, --channels, --loads, --period, "
                               "--width or --window");
    }
  }
  return a;
}

void print(const Core& core, const presilicon::MemorySystem& memory) {
  const presilicon::Statistics s = memory.statistics();
  const auto cycles = static_cast<double>(core.cycles());
  std::printf("instructions  %llu\n", static_cast<unsigned long long>(core.retired()));
  std::printf("cycles        %llu\n", static_cast<unsigned long long>(core.cycles()));
  std::printf("IPC           %.4f\n", static_cast<double>(core.retired()) / cycles);
  std::printf("read latency  %.1f ns mean, %.1f ns p99\n", s.read_latency_mean * 1e-3,
              s.read_latency_p99 * 1e-3);
  std::printf("bandwidth     %.1f GB/s, %.1f %% of the peak\n", s.bandwidth * 1e-9,
              100 * s.bandwidth / memory.peak_bandwidth());
  std::printf("row hits      %.1f %%\n",
              100 * static_cast<double>(s.row_hits) / static_cast<double>(s.RD + s.WR));
}

}  // namespace

int main(int count, char** words) {
  try {
    const Arguments a = parse(count, words);
    presilicon::MemorySystem memory(a.memory, a.options);
    Core core(memory, Instructions(read_trace(a.trace), a.loads), a.core);
    core.run();
    print(core, memory);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "core_model: %s\n", e.what());
    return EXIT_FAILURE;
  }
}

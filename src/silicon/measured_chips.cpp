#include "silicon/measured_chips.h"

#include "base/error.h"
#include "cycles/dram_stream.h"

namespace presil::silicon {

MeasuredChip::MeasuredChip(ChipFiles chip_files)
    : files(std::move(chip_files)),
      machine(kernels::machine_of(files,
                                  stream_bandwidth(files.memory, files.chip.dram).count() / 1e9)),
      dram(std::make_unique<DramTimes>(files.memory, files.chip.dram)) {}

MeasuredChip* MeasuredChips::find(const std::string& name) {
  const auto [at, fresh] = found_.try_emplace(name, nullptr);
  // A path would be a file of the user's, which data must not name.
  if (!fresh || name.find('/') != std::string::npos || name.ends_with(".yaml")) {
    return at->second.get();
  }
  try {
    at->second = std::make_unique<MeasuredChip>(load_chip(name, {}, home_));
  } catch (const MissingInput&) {
    return nullptr;
  }
  return at->second.get();
}

}  // namespace presil::silicon

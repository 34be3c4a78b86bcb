#include "chip/derived.h"

#include <fmt/format.h>

#include "base/quantity_text.h"
#include "chip/dram_shape.h"
#include "chip/engine_time.h"

namespace presil {
namespace {

constexpr double kBitsPerByte = 8;

class Figures {
 public:
  void add(std::string name, double value, Dimension dimension, std::string_view unit,
           std::string formula) {
    list.push_back({std::move(name), value, std::string(unit), format_quantity(value, dimension),
                    std::move(formula)});
  }
  void add_plain(std::string name, double value, std::string_view unit, std::string formula) {
    list.push_back({std::move(name), value, std::string(unit),
                    fmt::format("{:.4g} {}", value, unit), std::move(formula)});
  }

  std::vector<DerivedFigure> list;
};

double local_capacity(const Chip& chip) {
  return static_cast<double>(chip.core.count) * static_cast<double>(chip.core.sram.size.count());
}

void derive_compute(const Chip& chip, BytesPerSecond dram, Figures& figures) {
  const auto cores = static_cast<double>(chip.core.count);
  for (const auto& [format, macs] : chip.core.matrix.macs_per_cycle) {
    const FlopsPerSecond peak = peak_flops(chip, format);
    const std::string name(to_string(format));
    figures.add_plain("macs_per_cycle." + name, cores * macs, "MAC/cycle",
                      fmt::format("{} cores x {:g}", chip.core.count, macs));
    figures.add("peak." + name, peak.count(), Dimension::flops_per_second, "FLOP/s",
                fmt::format("{} cores x {:g} MAC/cycle x 2 x {}", chip.core.count, macs,
                            to_string(matrix_clock(chip.core))));
    figures.add_plain("balance." + name, peak.count() / dram.count(), "FLOP/B",
                      fmt::format("{} / {}", to_string(peak), to_string(dram)));
  }
  const Hertz clock = vector_clock(chip.core);
  figures.add("peak.vector", cores * chip.core.vector.flops_per_cycle * clock.count(),
              Dimension::flops_per_second, "FLOP/s",
              fmt::format("{} cores x {:g} FLOP/cycle x {}", chip.core.count,
                          chip.core.vector.flops_per_cycle, to_string(clock)));
}

void derive_memories(const ChipFiles& files, Figures& figures) {
  const Chip& chip = files.chip;
  const MemoryPart& part = files.memory;
  const BytesPerSecond bandwidth = peak_bandwidth(part, chip.dram);
  figures.add("dram.bandwidth", bandwidth.count(), Dimension::bytes_per_second, "B/s",
              fmt::format("{} stacks x {} channels x {} pseudo-channels x {} pins x {} / 8",
                          chip.dram.stacks, part.channels, part.pseudo_channels, part.width,
                          to_string(chip.dram.rate)));
  const Bytes capacity = dram_capacity(part, chip.dram);
  figures.add("dram.capacity", static_cast<double>(capacity.count()), Dimension::bytes, "B",
              chip.dram.capacity ? "dram.capacity"
                                 : fmt::format("{} stacks x {}", chip.dram.stacks,
                                               to_string(part.stack_capacity())));
  if (chip.sram) {
    figures.add("sram.bandwidth", chip.sram->read.count(), Dimension::bytes_per_second, "B/s",
                "sram.read");
  }
  const double local_bytes = local_capacity(chip);
  figures.add("local.capacity", local_bytes, Dimension::bytes, "B",
              fmt::format("{} cores x {}", chip.core.count, to_string(chip.core.sram.size)));
  figures.add(
      "local.bandwidth",
      static_cast<double>(chip.core.count) * chip.core.sram.read.count() * chip.core.clock.count(),
      Dimension::bytes_per_second, "B/s",
      fmt::format("{} cores x {} x {}", chip.core.count, to_string(chip.core.sram.read),
                  to_string(chip.core.clock)));
}

void derive_silicon(const ChipFiles& files, Figures& figures) {
  const Chip& chip = files.chip;
  const double on_chip_bytes =
      local_capacity(chip) + (chip.sram ? static_cast<double>(chip.sram->size.count()) : 0.0);
  const double cells = on_chip_bytes * kBitsPerByte * files.node.sram_bitcell.count();
  const SquareMillimetres silicon = chip.die.area * static_cast<double>(chip.die.count);
  figures.add("die.sram_cells", cells, Dimension::square_millimetres, "mm2",
              fmt::format("{} of SRAM x 8 x {:g} mm2 a bit, without periphery",
                          format_quantity(on_chip_bytes, Dimension::bytes),
                          files.node.sram_bitcell.count()));
  figures.add_plain("die.transistors", (silicon.count() - cells) / files.node.logic_area.count(),
                    "million",
                    fmt::format("({} - SRAM cells) / {:g} mm2 a million, if all of it were logic",
                                to_string(silicon), files.node.logic_area.count()));
}

}  // namespace

FlopsPerSecond peak_flops(const Chip& chip, Format format) {
  const auto found = chip.core.matrix.macs_per_cycle.find(format);
  if (found == chip.core.matrix.macs_per_cycle.end()) return FlopsPerSecond(0);
  return FlopsPerSecond(static_cast<double>(chip.core.count) * found->second * 2 *
                        matrix_clock(chip.core).count());
}

std::vector<DerivedFigure> derive(const ChipFiles& files) {
  Figures figures;
  derive_compute(files.chip, peak_bandwidth(files.memory, files.chip.dram), figures);
  derive_memories(files, figures);
  derive_silicon(files, figures);
  return figures.list;
}

}  // namespace presil

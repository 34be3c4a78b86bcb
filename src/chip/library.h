// From a name to a whole chip: its own file and the memory, node and package that it names, with
// the user's overrides applied before anything is validated.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "chip/chip.h"
#include "chip/inputs.h"
#include "chip/memory_part.h"
#include "chip/node.h"
#include "chip/package.h"

namespace presil {

struct ChipFiles {
  Chip chip;
  MemoryPart memory;
  ProcessNode node;
  PackageKind package;
  std::vector<std::filesystem::path> files;  // read, in the order above
  std::vector<InputValue> inputs;            // every value of these files, with its source
};

/// Reads a chip and what it names. `chip` is a path, or the name or an alias of a file in
/// home/chips. Each override is "key=value": a field of the chip ("dram.stacks=6"), or of the files
/// it names ("memory.tRP.time=14 ns", "node.wafer_price=9000 USD", "package.attach_yield=0.98").
/// Throws MissingInput for an unknown chip (with the nearest name) and InputError with every
/// complaint of a file; those about an override point into the argument.
ChipFiles load_chip(const std::string& chip, const std::vector<std::string>& overrides,
                    const std::filesystem::path& home);

/// The names of the files in `folder` (home/chips, home/nodes, ...), sorted, without ".yaml".
std::vector<std::string> names_in(const std::filesystem::path& folder);

}  // namespace presil

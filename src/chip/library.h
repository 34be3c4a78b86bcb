// From a name to a whole chip: its own file and the memory, node, package, numerics and network
// that it names, with the user's overrides applied before anything is validated. And from a name to
// a memory part, or to a memory system without a chip.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/numerics.h"
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
  Numerics numerics;
  std::vector<std::filesystem::path>
      files;  // read, in the order above; no memory without DRAM; the network's last
  std::vector<InputValue> inputs;  // every value of these files, with its source
};

/// Which arithmetic a chip is loaded with: paths, or names of files in home/numerics.
struct NumericsChoice {
  std::string instead{};           // of the chip's own; "": the chip's own
  std::string otherwise = "bf16";  // of a chip that names none
};

/// Reads a chip and what it names. `chip` is a path, or the name or an alias of a file in
/// home/chips. Each override is "key=value": a field of the chip ("dram.stacks=6"), or of the files
/// it names ("memory.timing.tRP=14 ns", "node.wafer_price=9000 USD", "package.attach_yield=0.98",
/// "numerics.accumulator.bits=12", "scale_out.bandwidth=100 GB/s"). Numerics with a changed field
/// get a star behind their name. Throws MissingInput for an unknown chip (with the nearest name)
/// and InputError with every complaint of a file; those about an override point into the argument.
ChipFiles load_chip(const std::string& chip, const std::vector<std::string>& overrides,
                    const std::filesystem::path& home, const NumericsChoice& numerics = {});

struct NumericsFiles {
  Numerics numerics;
  std::vector<InputValue> inputs;  // every value of the file, with its source
};

/// Reads numerics: `name` is a path, or the name of a file in home/numerics. Each override is
/// "key=value" with a field of them ("accumulator.bits=12"). Throws as load_chip does.
NumericsFiles load_numerics(const std::string& name, const std::vector<std::string>& overrides,
                            const std::filesystem::path& home);

struct NetworkFiles {
  ScaleOut network;
  std::vector<InputValue> inputs;  // every value of the file, with its source
};

/// Reads a network: `name` is a path, or the name of a file in home/networks. Each override is
/// "key=value" with a field of it ("bandwidth=100 GB/s"). Throws as load_chip does.
NetworkFiles load_network(const std::string& name, const std::vector<std::string>& overrides,
                          const std::filesystem::path& home);

/// Reads a memory part: `part` is a path, or the name of a file in home/memories. Each override is
/// "key=value" with a field of the part ("timing.tRP=14 ns"). Throws as load_chip does.
MemoryPart load_part(const std::string& part, const std::vector<std::string>& overrides,
                     const std::filesystem::path& home);

struct DramFiles {
  MemoryPart part;
  Dram dram;                                 // its rate is filled in
  std::vector<std::filesystem::path> files;  // read: the memory system's, if any, and the part's
  std::vector<InputValue> inputs;            // every value of these files, with its source
};

/// Reads a part and what drives it. `part` is a name or a path as in load_part, or the path of a
/// dram/1 file; `config` is a dram/1 file or "". With both, `part` replaces the part that `config`
/// names. Overrides are fields of the memory system ("dram.page_policy=closed") or of its part
/// ("memory.timing.tRP=14 ns"), the latter applied after the file's `set`. Throws as load_chip
/// does.
DramFiles load_dram(const std::string& part, const std::string& config,
                    const std::vector<std::string>& overrides, const std::filesystem::path& home);

/// The names of the files in `folder` (home/chips, home/nodes, ...), sorted, without ".yaml".
std::vector<std::string> names_in(const std::filesystem::path& folder);

/// Throws MissingInput: no `what` has this path or is called so in home/folder; with the nearest.
[[noreturn]] void refuse_name(std::string_view what, std::string_view folder,
                              const std::string& name, const std::filesystem::path& home);

}  // namespace presil

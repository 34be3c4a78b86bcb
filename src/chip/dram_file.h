// A memory system without a chip: one part and the controller that drives it, as `presil dram
// --config FILE` reads it (`presil: dram/1`). Its keys are those of a chip's `dram:` block, and a
// `set` block that changes fields of the part.
#pragma once

#include <string>

#include "base/document.h"
#include "base/fields.h"
#include "chip/chip.h"
#include "chip/memory_part.h"

namespace presil {

/// The `dram:` block of a chip.
Dram read_dram(Fields& fields);

/// What is wrong with running `part` at `rate`, as a sentence; "" if nothing is.
std::string rate_complaint(const MemoryPart& part, BitsPerSecond rate);

/// The rules between a part and what drives it: rate and ECC. Complains to `log` at the keys in
/// `root`, which start with `prefix` ("dram." in a chip). Requires a rate.
void check_driving(const Dram& dram, const MemoryPart& part, const Node& root,
                   const std::string& prefix, Diagnostics& log);

struct DramFile {
  std::string name;
  Dram dram;  // `part` may be a path relative to the file; one stack unless it says more
  Sources sources;
};

/// Validates and converts a parsed file. Throws InputError with every complaint. What `set` changes
/// is checked with the part, by load_dram.
DramFile read_dram_file(const Node& root);

/// Describes the schema, for `presil schema dram`.
Schema dram_file_schema();

}  // namespace presil

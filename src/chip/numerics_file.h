// A file numerics/NAME.yaml: the arithmetic of a chip, as docs/numerics.md defines it.
#pragma once

#include "base/document.h"
#include "base/fields.h"
#include "base/numerics.h"

namespace presil {

/// Validates and converts a parsed numerics file; `sources` gets where its values are from. Throws
/// InputError with every complaint: unknown fields, and combinations that nothing computes. A field
/// that means nothing for its kind of accumulator is ignored where the file has it, and a complaint
/// where it was written elsewhere (an override, a chip's own block): somebody expects it to count.
Numerics read_numerics(const Node& root, Sources* sources = nullptr);

/// Describes the schema, for `presil schema numerics`.
Schema numerics_schema();

}  // namespace presil

// What each of the numerics (program/numerics.h) rounds its operands to.
#pragma once

#include "base/number_format.h"
#include "program/numerics.h"

namespace presil {

/// What activations are turned into before they are multiplied with weights stored in `weights`.
Format activation_format(Numerics numerics, Format weights);

/// What attention rounds queries, keys, values and probabilities to: fp32 or bf16.
Format attention_format(Numerics numerics);

}  // namespace presil

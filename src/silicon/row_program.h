// A measured row as a program: what was called, in the words of the stages that time it.
#pragma once

#include <string>
#include <variant>

#include "chip/library.h"
#include "kernels/library.h"
#include "program/bind.h"
#include "silicon/rows.h"

namespace presil::silicon {

struct RowProgram {
  Program program;
  Step step;
};

/// The program and the step of a gemm or attention row on `chip`, or why there is none: a type
/// that the chip lacks, an attention whose heads do not divide.
std::variant<RowProgram, std::string> program_of(const Row& row, const ChipFiles& chip);

/// Microseconds of a gemm or attention row, as `presil run` times an operator: with the kernels of
/// `library`, or tile by tile (nullptr). Or why not.
std::variant<double, std::string> run_us(const Row& row, const ChipFiles& chip,
                                         const kernels::Library* library);

}  // namespace presil::silicon

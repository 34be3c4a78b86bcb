// A measured row as a program: what was called, in the words of the stages that time it.
#pragma once

#include <string>
#include <variant>

#include "chip/library.h"
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

}  // namespace presil::silicon

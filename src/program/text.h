// A program as text that a person can read, and back.
#pragma once

#include <memory>
#include <string>

#include "base/document.h"
#include "program/program.h"

namespace presil {

std::string print(const Program& program);

/// The program that `print` wrote. Throws InputError with file:line:col for anything else.
Program parse_program(const std::shared_ptr<const Source>& source);

}  // namespace presil

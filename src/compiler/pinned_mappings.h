// Mappings that somebody wrote take the place of searched ones.
#pragma once

#include <span>

#include "chip/chip.h"
#include "compiler/gemm_search.h"
#include "program/mapping_file.h"
#include "program/program.h"

namespace presil {

/// What a product asks for, as the search takes it: all but its rows. Weights of several formats
/// side by side are cut as the widest of them.
GemmShape shape_of(const Program& program, const Kernel& kernel, const ProductNumerics& numerics);

/// Puts `pins` into the kernels of `program` that they name. Steps with more rows than a kernel's
/// last pin keep the mapping that was searched. Throws InputError with every complaint, each at its
/// place: a kernel that the program does not have, loops that do not cover its operator, tiles that
/// the engine does not take whole, that tear what shares a scale, or that do not fit a core (saying
/// which buffer is how large, and by how many bytes all are too much). Of a program that is not the
/// `whole` model but a stage of a pipeline, kernels may be missing.
void pin_mappings(Program& program, std::span<const PinnedMapping> pins, const Chip& chip,
                  bool whole);

/// Throws InputError for pins of kernels that no stage of a pipeline has.
void check_kernels_named(std::span<const PinnedMapping> pins,
                         std::span<const Program* const> stages);

}  // namespace presil

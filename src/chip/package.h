// A kind of package as its file in packages/ describes it: what stands under the dies and the
// stacks, what it costs to put them there, and how often that fails. Bands are in the order of
// their values: a yield is low where it is dear.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/document.h"
#include "base/fields.h"
#include "base/units.h"

namespace presil {

/// Silicon or redistribution layers under dies and stacks, made on wafers of its own.
struct Interposer {
  Band wafer_price;     // USD
  Band defect_density;  // 1/cm2
  Millimetres wafer_diameter;
  SquareMillimetres max_area;
  SquareMillimetres stack_area;  // that one HBM stack takes
  double spacing = 1;            // interposer area over the sum of what stands on it
};

/// Dies stacked on each other (3D): each die of a chip file becomes a tower of `height` dies with
/// an equal part of its area, and a tower stands where the die stood.
struct Tower {
  std::int64_t height = 2;
  Band bond;             // USD for each die placed on another
  Band bond_yield;       // of each such die; a failure loses its tower
  double via_share = 0;  // area that through-silicon vias add to a die
  Band via_wafer;        // USD that vias and thinning add to a wafer
};

struct PackageKind {
  std::string name;
  std::string maker;
  std::optional<Interposer> interposer;  // HBM needs one; LPDDR sits beside the package
  std::optional<Tower> tower;            // 3D; without it dies lie side by side
  Band attach;                           // USD for each die, tower or stack placed
  Band attach_yield;                     // of each of them; a failure loses them all
  Band substrate;                        // USD
  Band test;                             // USD: assembly, test, burn-in
  Sources sources;
};

/// Validates and converts a parsed package file. Throws InputError with every complaint.
PackageKind read_package_kind(const Node& root);

/// Describes the schema, for `presil schema package`.
Schema package_kind_schema();

}  // namespace presil

// A kind of package as its file in packages/ describes it: what stands under the dies and the
// stacks, what it costs to put them there, and how often that fails.
#pragma once

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

struct PackageKind {
  std::string name;
  std::string maker;
  std::optional<Interposer> interposer;  // HBM needs one; LPDDR sits beside the package
  Band attach;                           // USD for each die or stack placed
  double attach_yield = 1;               // of each die or stack placed; a failure loses them all
  Band substrate;                        // USD
  Band test;                             // USD: assembly, test, burn-in
  Sources sources;
};

/// Validates and converts a parsed package file. Throws InputError with every complaint.
PackageKind read_package_kind(const Node& root);

/// Describes the schema, for `presil schema package`.
Schema package_kind_schema();

}  // namespace presil

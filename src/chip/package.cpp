#include "chip/package.h"

#include "base/describe.h"

namespace presil {
namespace {

Interposer read_interposer(Fields& f) {
  Interposer i;
  i.wafer_price = f.band("wafer_price", "of a processed interposer wafer", Dimension::usd);
  i.defect_density =
      f.band("defect_density", "of the interposer", Dimension::per_square_centimetre);
  i.wafer_diameter = f.quantity<Millimetres>("wafer_diameter", "of the wafer");
  i.max_area = f.quantity<SquareMillimetres>("max_area", "largest that is made");
  i.stack_area = f.quantity<SquareMillimetres>("stack_area", "that one HBM stack takes");
  i.spacing = f.number("spacing", "area over the sum of what stands on it", {1, 4});
  return i;
}

Tower read_tower(Fields& f) {
  Tower t;
  t.height = f.integer("height", "dies of a tower", {2, 16});
  t.bond = f.band("bond", "placing a die on another", Dimension::usd);
  t.bond_yield = f.number_band("bond_yield", "of placing a die on another", {0.5, 1});
  t.via_share = f.number("via_share", "area that vias add to a die", {0, 1});
  t.via_wafer = f.band("via_wafer", "that vias and thinning add to a wafer", Dimension::usd);
  return t;
}

PackageKind read_fields(Fields& f) {
  PackageKind p;
  p.name = f.text("name", "name of the kind, as its file is called");
  p.maker = f.text_or("maker", "who offers it", "");
  p.interposer = f.maybe_map("interposer", "what joins dies and stacks", read_interposer);
  p.tower = f.maybe_map("tower", "dies stacked on each other", read_tower);
  p.attach = f.band("attach", "placing one die or stack", Dimension::usd);
  p.attach_yield = f.number_band("attach_yield", "of placing one die or stack", {0.5, 1});
  p.substrate = f.band("substrate", "what the package is built on", Dimension::usd);
  p.test = f.band("test", "assembly, test and burn-in", Dimension::usd);
  return p;
}

}  // namespace

PackageKind read_package_kind(const Node& root) {
  Sources sources;
  PackageKind package = read_file(root, "package", read_fields, &sources);
  package.sources = std::move(sources);
  return package;
}

Schema package_kind_schema() {
  return describe_file("package", "a kind of package", read_fields);
}

}  // namespace presil

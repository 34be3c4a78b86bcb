#include "compiler/pinned_mappings.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/integers.h"
#include "compiler/compile.h"
#include "compiler/tiling.h"

namespace presil {
namespace {

bool is_product(Op op) {
  return op == Op::gemm || op == Op::grouped_gemm;
}

std::vector<Axis> axes_of(Op op) {
  if (is_product(op)) return {Axis::n, Axis::m, Axis::k};
  if (op == Op::attention) return {Axis::s, Axis::h, Axis::q, Axis::c};
  return {Axis::m, Axis::n};
}

std::string names(const std::vector<Axis>& axes) {
  std::vector<std::string_view> list;
  for (const Axis a : axes) list.push_back(to_string(a));
  return fmt::format("{}", fmt::join(list, ", "));
}

/// Holds one pin against the kernel that it names.
class PinCheck {
 public:
  PinCheck(const Program& program, const Kernel& kernel, const PinnedMapping& pin, const Chip& chip,
           Diagnostics& log)
      : program_(program), kernel_(kernel), pin_(pin), chip_(chip), log_(log) {}

  void run() {
    if (!covers_axes()) return;
    switch (kernel_.op) {
      case Op::gemm:
      case Op::grouped_gemm:
        if (has_order_of_product()) check_product();
        return;
      case Op::attention:
        check_attention();
        return;
      default:
        refuse_product_fields();
    }
  }

 private:
  void complain(const Place& place, const std::string& message) {
    log_.add(place, fmt::format("{}: {}", pin_.kernel, message));
  }
  const std::vector<Loop>& loops() const { return pin_.mapping.loops; }

  /// Tiles of attention may be cut along the query heads that share keys, or not.
  bool may_cut(Axis axis) const { return kernel_.op == Op::attention && axis == Axis::n; }

  bool covers_axes() {
    const std::vector<Axis> axes = axes_of(kernel_.op);
    bool all = true;
    for (std::size_t i = 0; i < loops().size(); ++i) {
      const Axis axis = loops()[i].axis;
      if (may_cut(axis) || std::find(axes.begin(), axes.end(), axis) != axes.end()) continue;
      complain(pin_.place("loops", i),
               fmt::format("{} has no axis {}: expected {}", to_string(kernel_.op),
                           to_string(loops()[i].axis), names(axes)));
      all = false;
    }
    for (const Axis axis : axes) {
      if (pin_.mapping.tile(axis) > 0) continue;
      complain(pin_.place("loops"),
               fmt::format("no loop over {}: a mapping of {} covers {}", to_string(axis),
                           to_string(kernel_.op), names(axes)));
      all = false;
    }
    const bool has_cut = may_cut(Axis::n) && pin_.mapping.tile(Axis::n) > 0;
    const bool once = loops().size() == axes.size() + (has_cut ? 1 : 0);
    if (all && !once && !is_product(kernel_.op)) {
      complain(pin_.place("loops"), fmt::format("expected one loop over each of {}", names(axes)));
    }
    return all && (once || is_product(kernel_.op));
  }

  /// [strip in time,] two loops over cores, k in time.
  bool has_order_of_product() {
    const std::size_t n = loops().size();
    const auto over = [&](std::size_t i) { return loops()[i].over; };
    bool ok = (n == 3 || n == 4) && loops()[n - 1].axis == Axis::k && over(n - 1) == Over::time &&
              over(n - 2) == Over::cores && over(n - 3) == Over::cores &&
              loops()[n - 2].axis != loops()[n - 3].axis && loops()[n - 3].axis != Axis::k;
    if (ok && n == 4) {
      const Loop& strip = loops()[0];
      ok = strip.over == Over::time && strip.axis == loops()[2].axis;
      if (ok && strip.tile % loops()[2].tile != 0) {
        complain(pin_.place("loops", 0), fmt::format("a strip of {} is not whole tiles of {}",
                                                     strip.tile, loops()[2].tile));
      }
    }
    if (!ok) {
      complain(pin_.place("loops"),
               "expected m and n over cores, then k in time; before them at most a strip in time "
               "of the second of them");
    }
    return ok;
  }

  void check_product() {
    const Mapping& m = pin_.mapping;
    const MatrixEngine& e = chip_.core.matrix;
    GemmShape shape = shape_of(program_, kernel_, products_of(program_, kernel_));
    shape.m = std::min(m.max_m, kLargestSearchedStep);
    for (std::size_t i = 0; i < loops().size(); ++i) {
      const Loop& loop = loops()[i];
      if (loop.axis == Axis::n) check_grain(pin_.place("loops", i), loop, e.n);
      if (loop.axis == Axis::m) check_grain(pin_.place("loops", i), loop, e.m);
      if (loop.axis == Axis::k && loop.tile % shape.k_block != 0 && loop.tile < shape.k) {
        complain(pin_.place("loops", i),
                 fmt::format("k/{} tears blocks of {} elements that are stored together or share a "
                             "scale",
                             loop.tile, shape.k_block));
      }
    }
    if (m.last_n > 0) {
      check_grain(pin_.place("last_n"), {Axis::n, m.last_n, Over::cores}, e.n);
      if (m.last_n >= m.tile(Axis::n)) {
        complain(pin_.place("last_n"), fmt::format("expected less than the tile of {}, found {}",
                                                   m.tile(Axis::n), m.last_n));
      }
    }
    const std::int64_t k_tiles = ceil_div(shape.k, m.tile(Axis::k));
    if (m.split_k > k_tiles) {
      complain(pin_.place("split_k"), fmt::format("k has {} tiles of {}, too few for {} cores",
                                                  k_tiles, m.tile(Axis::k), m.split_k));
    }
    const TileBytes bytes = tile_bytes(shape, cut_of(m, shape));
    check_fit(bytes.total(), fmt::format("{} for inputs, {} for weights, {} for sums", bytes.inputs,
                                         bytes.weights, bytes.sums));
  }

  void check_grain(const Place& place, const Loop& loop, std::int64_t grain) {
    if (loop.tile % grain == 0) return;
    complain(place, fmt::format("{}/{} is off the matrix engine's grain of {}",
                                to_string(loop.axis), loop.tile, grain));
  }

  void check_fit(std::int64_t needed, const std::string& parts) {
    const std::int64_t local = chip_.core.sram.size.count();
    if (needed <= local) return;
    complain(pin_.place("loops"),
             fmt::format("its tiles need {} bytes of local memory (core.sram: {}), {} more than a "
                         "core has",
                         needed, parts, needed - local));
  }

  void check_attention() {
    for (std::size_t i = 0; i < loops().size(); ++i) {
      const bool keys = loops()[i].axis == Axis::c;
      if ((loops()[i].over == Over::time) == keys) continue;
      complain(pin_.place("loops", i), "expected s, h and q over cores and c in time");
    }
    refuse_product_fields();
    const std::int64_t heads = kernel_.extent(Axis::h).scale;
    AttentionShape shape{heads, kernel_.extent(Axis::n).scale / heads,
                         kernel_.extent(Axis::d).scale, 1, program_.numerics.kv_cache};
    if (pin_.mapping.tile(Axis::n) > 0) {
      shape.group = std::min(shape.group, pin_.mapping.tile(Axis::n));
    }
    const std::int64_t queries = std::min(pin_.mapping.tile(Axis::q), pin_.mapping.max_m);
    const AttentionTileBytes bytes = tile_bytes(shape, queries, pin_.mapping.tile(Axis::c));
    check_fit(bytes.total(), fmt::format("{} for keys and values, {} for queries, {} for scores "
                                         "and sums",
                                         bytes.keys, bytes.queries, bytes.sums));
  }

  void refuse_product_fields() {
    for (const std::string_view field : {"split_k", "buffers", "last_n"}) {
      if (pin_.node.find(field) == nullptr) continue;
      complain(pin_.place(field),
               fmt::format("{} is for products, and this is {}", field, to_string(kernel_.op)));
    }
  }

  const Program& program_;
  const Kernel& kernel_;
  const PinnedMapping& pin_;
  const Chip& chip_;
  Diagnostics& log_;
};

void complain_of_name(const PinnedMapping& pin, const Program& program,
                      const std::vector<std::string>& known, Diagnostics& log) {
  const std::string near = nearest(pin.kernel, known);
  log.add(pin.place("kernel"),
          fmt::format("{} on {} has no kernel '{}'{}", program.model, program.chip, pin.kernel,
                      near.empty() ? fmt::format(": expected one of {}", fmt::join(known, ", "))
                                   : fmt::format("; did you mean '{}'?", near)));
}

/// The pins of one kernel, and what was searched for the steps that they leave.
std::vector<Mapping> merged(const std::vector<const PinnedMapping*>& pins,
                            const std::vector<Mapping>& searched, Diagnostics& log) {
  std::vector<Mapping> list;
  for (const PinnedMapping* pin : pins) {
    if (!list.empty() && pin->mapping.max_m <= list.back().max_m) {
      log.add(pin->place("rows"),
              fmt::format("{}: expected the mappings of a kernel by rows, ascending, that of any "
                          "rows last",
                          pin->kernel));
      return searched;
    }
    list.push_back(pin->mapping);
  }
  const std::int64_t pinned = list.back().max_m;
  std::copy_if(searched.begin(), searched.end(), std::back_inserter(list),
               [&](const Mapping& m) { return m.max_m > pinned; });
  return list;
}

}  // namespace

GemmShape shape_of(const Program& program, const Kernel& kernel, const ProductNumerics& numerics) {
  GemmShape shape;
  shape.n = kernel.extent(Axis::n).scale;
  shape.k = kernel.extent(Axis::k).scale;
  shape.activations = program.numerics.stream;
  shape.weights = program.tensor(kernel.weights.front()).format;
  shape.multiply = kernel.multiply;
  for (const int w : kernel.weights) {
    const Tensor& t = program.tensor(w);
    if (stored_bytes(t.format, t.scaling, 1, shape.k) >
        stored_bytes(shape.weights, shape.scaling, 1, shape.k)) {
      shape.weights = t.format;
      shape.scaling = t.scaling;
    }
    shape.k_block = std::max(shape.k_block, k_block(t.format, t.scaling));
  }
  if (numerics.activations) {
    shape.k_block = std::max(shape.k_block,
                             k_block(numerics.activations->format, numerics.activations->scaling));
  }
  return shape;
}

void check_kernels_named(std::span<const PinnedMapping> pins,
                         std::span<const Program* const> stages) {
  Diagnostics log;
  std::vector<std::string> known;
  for (const Program* program : stages) {
    for (auto& labels : kernel_labels(*program)) {
      known.insert(known.end(), labels.begin(), labels.end());
    }
  }
  for (const PinnedMapping& pin : pins) {
    if (std::find(known.begin(), known.end(), pin.kernel) != known.end()) continue;
    complain_of_name(pin, *stages.front(), known, log);
  }
  log.throw_if_any();
}

void pin_mappings(Program& program, std::span<const PinnedMapping> pins, const Chip& chip,
                  bool whole) {
  Diagnostics log;
  const auto labels = kernel_labels(program);
  std::map<std::string, Kernel*> kernels;
  std::vector<std::string> known;
  for (std::size_t b = 0; b < labels.size(); ++b) {
    for (std::size_t k = 0; k < labels[b].size(); ++k) {
      kernels[labels[b][k]] = &program.blocks[b].kernels[k];
      known.push_back(labels[b][k]);
    }
  }
  std::map<std::string, std::vector<const PinnedMapping*>> by_kernel;
  for (const PinnedMapping& pin : pins) {
    const auto kernel = kernels.find(pin.kernel);
    if (kernel == kernels.end()) {
      if (whole) complain_of_name(pin, program, known, log);
      continue;
    }
    PinCheck(program, *kernel->second, pin, chip, log).run();
    by_kernel[pin.kernel].push_back(&pin);
  }
  for (const auto& [name, list] : by_kernel) {
    Kernel& kernel = *kernels[name];
    kernel.mappings = merged(list, kernel.mappings, log);
  }
  log.throw_if_any();
}

}  // namespace presil

// A function of up to five integers, kept as values at the corners of boxes and interpolated
// between them.
//
// Boxes are halved where the function is off between their corners, along the axis on which it is
// off most, until it is not, so that jumps end up between neighbouring integers. The boxes depend
// on the function alone, so a table is the same on any number of threads.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "explore/step_table_cost.h"

namespace presil {

inline constexpr std::size_t kMostTableAxes = 5;
using TablePoint = std::array<std::int64_t, kMostTableAxes>;
using TablePlace = std::array<double, kMostTableAxes>;

struct TableAxis {
  std::int64_t low = 0, high = 0;
  double scale = 1;                 // boxes are halved by the logarithm of value + scale
  std::vector<std::int64_t> seams;  // where boxes end from the start, ascending
};

/// The value at a point, and the step that it is a part of: errors are measured against that.
struct TableSample {
  PartCost cost;
  double step_s = 0, step_j = 0;
};

struct TableLimits {
  double error = 0.003;       // of a step's time and energy, that no box is halved for
  std::size_t points = 1000;  // when the table has so many, no box is halved any more
};

class CellTable {
 public:
  /// Whether some point of a box can occur.
  using Inside = std::function<bool(const TablePoint& low, const TablePoint& high)>;
  using Sample = std::function<TableSample(const TablePoint&)>;

  /// Fills the table. Boxes that no step can fall into are not halved. `sample` is called from any
  /// thread, for the corners of those boxes too.
  CellTable(std::vector<TableAxis> axes, const Inside& inside, const Sample& sample,
            const TableLimits& limits);

  /// Beyond the axes' ends the last box goes on.
  PartCost at(const TablePlace& place) const;

  std::size_t points() const { return points_; }

 private:
  // A look-up goes down some twenty of them, so they are small.
  struct Branch {
    std::int32_t axis = -1;  // that it is halved on; -1: a box
    std::uint32_t next = 0;  // the lower half, the upper is next to it; of a box: its number
    double split = 0;
  };
  struct Box {
    TablePlace low{}, per_width{};  // 1 over the width; 0 where it has none
  };
  class Filling;

  std::size_t dimensions_ = 0;
  std::vector<Branch> branches_;
  std::vector<Box> boxes_;
  std::vector<PartCost> corners_;  // of each box, those with the higher value of axis 0 odd
  std::size_t points_ = 0;
};

}  // namespace presil

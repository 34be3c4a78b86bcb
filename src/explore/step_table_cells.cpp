#include "explore/step_table_cells.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "base/error.h"
#include "base/parallel.h"
#include "base/progress.h"

namespace presil {
namespace {

/// Halves of boxes, by how far the table would be off there without them.
struct Halving {
  std::size_t node = 0;
  int axis = -1;
  double error = 0;
};

double error_of(const PartCost& found, const TableSample& exact) {
  const double time = std::max(std::abs(found.full_s - exact.cost.full_s),
                               std::abs(found.slow_s - exact.cost.slow_s)) /
                      exact.step_s;
  return std::max(time, std::abs(found.event_j - exact.cost.event_j) / exact.step_j);
}

}  // namespace

class CellTable::Filling {
 public:
  Filling(CellTable& table, std::vector<TableAxis> axes, const Inside& inside, const Sample& sample,
          const TableLimits& limits)
      : table_(table), axes_(std::move(axes)), inside_(inside), sample_(sample), limits_(limits) {}

  void run() {
    Node root;
    for (std::size_t a = 0; a < axes_.size(); ++a) {
      root.low[a] = axes_[a].low;
      root.high[a] = axes_[a].high;
    }
    nodes_.push_back(root);
    cut_at_seams(0);
    std::vector<std::size_t> boxes;
    for (std::size_t n = 0; n < nodes_.size(); ++n) {
      if (nodes_[n].axis < 0) boxes.push_back(n);
    }
    while (!boxes.empty()) boxes = halve_worst(boxes);
    keep();
  }

 private:
  struct Node {
    int axis = -1;  // that it is halved on; -1: a box
    std::int64_t split = 0;
    std::size_t child = 0;  // the lower half, the upper is next
    TablePoint low{}, high{};
  };

  void cut_at_seams(std::size_t n) {
    for (std::size_t a = 0; a < axes_.size(); ++a) {
      const Node node = nodes_[n];
      std::vector<std::int64_t> within;
      for (const std::int64_t s : axes_[a].seams) {
        if (s > node.low[a] && s < node.high[a]) within.push_back(s);
      }
      if (within.empty()) continue;
      const std::size_t child = cut(n, static_cast<int>(a), within[within.size() / 2]);
      cut_at_seams(child);
      cut_at_seams(child + 1);
      return;
    }
  }

  std::size_t cut(std::size_t n, int axis, std::int64_t at) {
    const std::size_t child = nodes_.size();
    Node lower = nodes_[n], upper = lower;
    lower.high[static_cast<std::size_t>(axis)] = at;
    upper.low[static_cast<std::size_t>(axis)] = at;
    nodes_.push_back(lower);
    nodes_.push_back(upper);
    nodes_[n].axis = axis;
    nodes_[n].split = at;
    nodes_[n].child = child;
    return child;
  }

  std::int64_t middle(const Node& node, std::size_t a) const {
    const double scale = axes_[a].scale;
    const double low = static_cast<double>(node.low[a]), high = static_cast<double>(node.high[a]);
    const double at = std::sqrt((low + scale) * (high + scale)) - scale;
    return std::clamp(static_cast<std::int64_t>(std::llround(at)), node.low[a] + 1,
                      node.high[a] - 1);
  }

  bool can_halve(const Node& node, std::size_t a) const { return node.high[a] - node.low[a] > 1; }

  std::vector<TablePoint> corners_of(const Node& node) const {
    std::vector<TablePoint> corners;
    for (std::size_t c = 0; c < std::size_t{1} << axes_.size(); ++c) {
      TablePoint p = node.low;
      for (std::size_t a = 0; a < axes_.size(); ++a) {
        if ((c >> a & 1) != 0) p[a] = node.high[a];
      }
      corners.push_back(p);
    }
    return corners;
  }

  /// Three points along `a`: on the lowest edge of a box, and through its middle.
  struct Line {
    TablePoint low, middle, high;
  };
  std::array<Line, 2> lines_of(const Node& node, std::size_t a) const {
    TablePoint centre = node.low;
    for (std::size_t i = 0; i < axes_.size(); ++i) {
      if (can_halve(node, i)) centre[i] = middle(node, i);
    }
    std::array<Line, 2> lines{Line{node.low, node.low, node.low}, Line{centre, centre, centre}};
    for (Line& line : lines) {
      line.low[a] = node.low[a];
      line.middle[a] = middle(node, a);
      line.high[a] = node.high[a];
    }
    return lines;
  }

  /// The worst axis of a box and how far it is off there.
  Halving judge(std::size_t n) const {
    const Node& node = nodes_[n];
    Halving worst{n, -1, 0};
    for (std::size_t a = 0; a < axes_.size(); ++a) {
      if (!can_halve(node, a)) continue;
      double error = 0;
      for (const Line& e : lines_of(node, a)) {
        const double w =
            static_cast<double>(e.middle[a] - e.low[a]) / static_cast<double>(e.high[a] - e.low[a]);
        const PartCost between = known_.at(e.low).cost * (1 - w) + known_.at(e.high).cost * w;
        error = std::max(error, error_of(between, known_.at(e.middle)));
      }
      if (error > worst.error) worst = {n, static_cast<int>(a), error};
    }
    return worst;
  }

  /// One more generation of boxes: those that were halved, into their halves.
  std::vector<std::size_t> halve_worst(const std::vector<std::size_t>& boxes) {
    std::set<TablePoint> wanted;
    for (const std::size_t n : boxes) {
      const Node& node = nodes_[n];
      for (const TablePoint& p : corners_of(node)) wanted.insert(p);
      if (!inside_(node.low, node.high)) continue;
      for (std::size_t a = 0; a < axes_.size(); ++a) {
        if (!can_halve(node, a)) continue;
        for (const Line& e : lines_of(node, a)) wanted.insert({e.low, e.middle, e.high});
      }
    }
    take_samples(wanted);

    std::vector<Halving> splits;
    for (const std::size_t n : boxes) {
      if (!inside_(nodes_[n].low, nodes_[n].high)) continue;
      const Halving s = judge(n);
      if (s.axis >= 0 && s.error > limits_.error) splits.push_back(s);
    }
    std::stable_sort(splits.begin(), splits.end(),
                     [](const Halving& a, const Halving& b) { return a.error > b.error; });
    const std::size_t a_box = (std::size_t{1} << axes_.size()) + 2 * axes_.size();
    std::vector<std::size_t> halves;
    for (const Halving& s : splits) {
      if (known_.size() + halves.size() / 2 * a_box >= limits_.points) break;
      const Node& node = nodes_[s.node];
      const auto a = static_cast<std::size_t>(s.axis);
      const std::size_t child = cut(s.node, s.axis, middle(node, a));
      halves.insert(halves.end(), {child, child + 1});
    }
    return halves;
  }

  void take_samples(const std::set<TablePoint>& wanted) {
    std::vector<TablePoint> missing;
    for (const TablePoint& p : wanted) {
      if (!known_.contains(p)) missing.push_back(p);
    }
    std::vector<TableSample> samples(missing.size());
    parallel_each(missing.size(), [&](std::size_t i) {
      samples[i] = sample_(missing[i]);
      progress_.advance();
    });
    for (std::size_t i = 0; i < missing.size(); ++i) known_[missing[i]] = samples[i];
  }

  void keep() {
    for (const Node& node : nodes_) {
      if (node.axis >= 0) {
        table_.branches_.push_back(
            {node.axis, static_cast<std::uint32_t>(node.child), static_cast<double>(node.split)});
        continue;
      }
      table_.branches_.push_back({-1, static_cast<std::uint32_t>(table_.boxes_.size()), 0});
      Box& box = table_.boxes_.emplace_back();
      for (std::size_t a = 0; a < axes_.size(); ++a) {
        box.low[a] = static_cast<double>(node.low[a]);
        const std::int64_t width = node.high[a] - node.low[a];
        box.per_width[a] = width > 0 ? 1 / static_cast<double>(width) : 0;
      }
      for (const TablePoint& p : corners_of(node)) table_.corners_.push_back(known_.at(p).cost);
    }
    table_.points_ = known_.size();
  }

  CellTable& table_;
  const std::vector<TableAxis> axes_;
  const Inside& inside_;
  const Sample& sample_;
  const TableLimits limits_;
  std::vector<Node> nodes_;
  Progress progress_{"points of the step table"};
  std::map<TablePoint, TableSample> known_;
};

CellTable::CellTable(std::vector<TableAxis> axes, const Inside& inside, const Sample& sample,
                     const TableLimits& limits)
    : dimensions_(axes.size()) {
  CHECK(dimensions_ >= 1 && dimensions_ <= kMostTableAxes, "a table has one to five axes");
  Filling(*this, std::move(axes), inside, sample, limits).run();
}

PartCost CellTable::at(const TablePlace& place) const {
  const Branch* branch = branches_.data();
  while (branch->axis >= 0) {
    const bool upper = place[static_cast<std::size_t>(branch->axis)] > branch->split;
    branch = &branches_[branch->next + (upper ? 1 : 0)];
  }
  const Box& box = boxes_[branch->next];
  const PartCost* from = &corners_[static_cast<std::size_t>(branch->next) << dimensions_];
  PartCost values[std::size_t{1} << (kMostTableAxes - 1)];
  for (std::size_t a = 0, count = std::size_t{1} << dimensions_; a < dimensions_; ++a) {
    const double w = (place[a] - box.low[a]) * box.per_width[a];
    count /= 2;
    for (std::size_t i = 0; i < count; ++i) {
      values[i] = from[2 * i] * (1 - w) + from[2 * i + 1] * w;
    }
    from = values;
  }
  return values[0];
}

}  // namespace presil

#include "program/activation_lives.h"

#include <algorithm>

namespace presil {
namespace {

/// Goes through the kernels in the order they run.
class LifeWriter {
 public:
  explicit LifeWriter(const Program& program) : program_(program) {}

  std::vector<Life> run() {
    for (const Block& block : program_.blocks) {
      block_ = {time_, time_ + static_cast<int>(block.kernels.size()) - 1};
      repeated_ = block.repeat > 1;
      for (const Kernel& k : block.kernels) {
        for (const int i : k.inputs) read(i);
        for (const int i : k.outputs) {
          if (k.epilogue == Epilogue::add) read(i);
          write(i);
        }
        ++time_;
      }
    }
    return std::move(lives_);
  }

 private:
  Life* life_of(int tensor) {
    const auto i = static_cast<std::size_t>(tensor);
    if (program_.tensors[i].role != Role::activation) return nullptr;
    const auto life =
        std::find_if(lives_.begin(), lives_.end(), [&](const Life& l) { return l.tensor == i; });
    if (life != lives_.end()) return &*life;
    lives_.push_back({i, {}});
    return &lives_.back();
  }

  /// What a block reads before it has written it has lived since its last use, and in a repeated
  /// block it lives on.
  void read(int tensor) {
    Life* life = life_of(tensor);
    if (life == nullptr) return;
    if (life->spans.empty()) life->spans.push_back(block_);
    Life::Span& span = life->spans.back();
    const bool from_before = span.first < block_.first;
    span.last = std::max({span.last, time_, from_before && repeated_ ? block_.last : time_});
  }

  void write(int tensor) {
    Life* life = life_of(tensor);
    if (life == nullptr) return;
    if (life->spans.empty() || life->spans.back().last < block_.first) {
      life->spans.push_back({time_, time_});
    }
    life->spans.back().last = std::max(life->spans.back().last, time_);
  }

  const Program& program_;
  std::vector<Life> lives_;
  int time_ = 0;
  Life::Span block_{0, 0};  // the kernels of the block at hand
  bool repeated_ = false;
};

}  // namespace

bool Life::overlaps(const Life& other) const {
  for (const Span& a : spans) {
    for (const Span& b : other.spans) {
      if (a.first <= b.last && b.first <= a.last) return true;
    }
  }
  return false;
}

std::vector<Life> activation_lives(const Program& program) {
  return LifeWriter(program).run();
}

}  // namespace presil

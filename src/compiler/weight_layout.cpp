#include "compiler/weight_layout.h"

#include <algorithm>
#include <vector>

#include "base/integers.h"

namespace presil {
namespace {

/// True when some kernel reads weight `i` right after weight `i - 1`.
bool continues_group(const Program& program, int i) {
  for (const Block& block : program.blocks) {
    for (const Kernel& k : block.kernels) {
      const auto at = std::find(k.weights.begin(), k.weights.end(), i);
      if (at != k.weights.end() && at != k.weights.begin() && *(at - 1) == i - 1) return true;
    }
  }
  return false;
}

/// The block of layers that reads each weight; nullptr for tensors that no layer has.
std::vector<const Block*> layer_blocks(const Program& program) {
  std::vector<const Block*> blocks(program.tensors.size(), nullptr);
  for (const Block& block : program.blocks) {
    for (const Kernel& k : block.kernels) {
      for (const int w : k.weights) {
        if (is_in_layers(program.tensor(w).name)) blocks[static_cast<std::size_t>(w)] = &block;
      }
    }
  }
  return blocks;
}

}  // namespace

void place_weights(Program& program) {
  const std::int64_t unit = program.dram_unit.count();
  const std::vector<const Block*> blocks = layer_blocks(program);
  const Block* block = nullptr;  // whose layers have begun
  std::vector<Tensor*> layer;    // the weights of one of them
  std::int64_t at = 0;
  const auto end_layers = [&] {
    if (layer.empty()) return;
    const std::int64_t begin = layer.front()->base;
    const std::int64_t stride = round_up(at - begin, unit);
    for (Tensor* t : layer) t->layer_stride = stride;
    at = begin + stride * block->repeat;
    layer.clear();
  };
  for (std::size_t i = 0; i < program.tensors.size(); ++i) {
    Tensor& t = program.tensors[i];
    if (t.role != Role::weight) continue;
    if (blocks[i] != block) end_layers();
    block = blocks[i];
    if (!continues_group(program, static_cast<int>(i))) at = round_up(at, unit);
    t.base = at;
    at += t.bytes(t.rows.scale).count();
    if (block != nullptr) layer.push_back(&t);
  }
  end_layers();
  program.weight_footprint = Bytes(round_up(at, unit));
}

}  // namespace presil

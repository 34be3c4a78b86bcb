#include "compiler/weight_layout.h"

#include <algorithm>

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

std::int64_t layers_of(const Program& program) {
  std::int64_t layers = 1;
  for (const Block& block : program.blocks) layers = std::max(layers, block.repeat);
  return layers;
}

}  // namespace

void place_weights(Program& program) {
  const std::int64_t unit = program.dram_unit.count();
  std::vector<Tensor*> layer;  // the weights of one layer, once they have begun
  std::int64_t at = 0;
  const auto end_layers = [&] {
    if (layer.empty()) return;
    const std::int64_t begin = layer.front()->base;
    const std::int64_t stride = round_up(at - begin, unit);
    for (Tensor* t : layer) t->layer_stride = stride;
    at = begin + stride * layers_of(program);
    layer.clear();
  };
  for (std::size_t i = 0; i < program.tensors.size(); ++i) {
    Tensor& t = program.tensors[i];
    if (t.role != Role::weight) continue;
    if (!is_in_layers(t.name)) end_layers();
    if (!continues_group(program, static_cast<int>(i))) at = round_up(at, unit);
    t.base = at;
    at += t.bytes(t.rows.scale).count();
    if (is_in_layers(t.name)) layer.push_back(&t);
  }
  end_layers();
  program.weight_footprint = Bytes(round_up(at, unit));
}

}  // namespace presil

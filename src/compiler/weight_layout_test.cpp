#include "compiler/weight_layout.h"

#include <gtest/gtest.h>

namespace presil {
namespace {

Tensor weight(const std::string& name, std::int64_t rows, std::int64_t columns) {
  return {name, Role::weight, Format::bf16, Scaling::none, {rows, Symbol::one}, columns, 0, 0};
}

/// table | two layers of (norm, q k side by side) | head; units of 1024 bytes.
Program unplaced() {
  Program p;
  p.dram_unit = Bytes(1024);
  p.tensors = {weight("table", 3, 512), weight("blk.*.norm", 1, 512), weight("blk.*.q", 2, 300),
               weight("blk.*.k", 1, 300), weight("head", 1, 512)};
  Kernel norm, qk, head;
  norm.weights = {1};
  qk.weights = {2, 3};
  head.weights = {4};
  p.blocks = {{"layer", 2, {norm, qk}}, {"head", 1, {head}}};
  return p;
}

TEST(WeightLayout, GroupsStartOnUnitsAndLayersFollowEachOther) {
  Program p = unplaced();
  place_weights(p);

  EXPECT_EQ(p.tensors[0].base, 0);     // 3 x 512 x 2 = 3072 bytes
  EXPECT_EQ(p.tensors[1].base, 3072);  // 1024 bytes
  EXPECT_EQ(p.tensors[2].base, 4096);  // 1200 bytes
  EXPECT_EQ(p.tensors[3].base, 5296);  // 600 bytes, behind q; the layer ends at 5896
  // A layer is 5896 - 3072 = 2824 bytes, 3072 on units; two of them end at 3072 + 6144.
  for (int i = 1; i <= 3; ++i) EXPECT_EQ(p.tensor(i).layer_stride, 3072);
  EXPECT_EQ(p.tensors[4].base, 9216);
  EXPECT_EQ(p.tensors[4].layer_stride, 0);
  EXPECT_EQ(p.weight_footprint, Bytes(9216 + 1024));
}

TEST(WeightLayout, AProgramMayEndInItsLayers) {
  Program p = unplaced();
  p.tensors.pop_back();
  p.blocks.pop_back();
  place_weights(p);

  EXPECT_EQ(p.weight_footprint, Bytes(9216));
}

TEST(WeightLayout, BlocksOfLayersFollowEachOther) {
  Program p = unplaced();
  p.tensors.insert(p.tensors.begin() + 4,
                   {weight("blk.*.norm", 1, 512), weight("blk.*.q", 1, 300)});
  Kernel norm, q, head;
  norm.weights = {4};
  q.weights = {5};
  head.weights = {6};
  p.blocks = {p.blocks[0], {"layer", 3, {norm, q}, 2}, {"head", 1, {head}}};
  place_weights(p);

  EXPECT_EQ(p.tensors[1].layer_stride, 3072);  // as above: two layers from 3072 on
  EXPECT_EQ(p.tensors[4].base, 9216);
  EXPECT_EQ(p.tensors[5].base, 10240);
  // 1024 + 600 bytes are 2048 on units; three of them end at 9216 + 6144.
  EXPECT_EQ(p.tensors[4].layer_stride, 2048);
  EXPECT_EQ(p.tensors[6].base, 15360);
}

}  // namespace
}  // namespace presil

// The kernels of a decoder layer: attention, then a feed-forward block that is dense or of experts.
#pragma once

#include "compiler/program_builder.h"

namespace presil {

/// Layers that follow each other and are alike: `first` stands for all.
struct LayerKind {
  std::int64_t first = 0;
  Window window;
  bool has_experts = false;
};

/// Norm, queries, keys and values, rotation, attention, output. Weights are added in the order they
/// are read.
void add_attention(ProgramBuilder& b, Block& block, const LayerKind& layer);

/// Multi-head latent attention. Sequences with one new token attend to the latents themselves
/// (absorbed): W_UK turns queries into latents, W_UV what comes out into values. For the others
/// keys and values of every head are made from the latents (expanded).
void add_latent_attention(ProgramBuilder& b, Block& block, const LayerKind& layer);

/// Norm, gate and up with SwiGLU, or up with GELU, down.
void add_dense_feed_forward(ProgramBuilder& b, Block& block, const LayerKind& layer);

/// Norm, shared expert, router, experts. Chips of the tensor group have all its tokens, so each
/// computes its experts' part of the sum. Experts that several replicas share get their tokens by
/// all-to-all, for which the tensor group deals its tokens out among its chips.
void add_experts(ProgramBuilder& b, Block& block, const LayerKind& layer);

}  // namespace presil

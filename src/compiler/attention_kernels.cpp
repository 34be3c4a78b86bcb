#include <fmt/format.h>

#include "compiler/layer_kernels.h"

namespace presil {
namespace {

constexpr Extent kTokens{1, Symbol::T};
// Query heads that are worked on together where all read the same latents: their results, 512 wide
// each, have to stay beside the keys in a core. The latents are carried once for each such group.
constexpr std::int64_t kHeadsTogether = 32;

/// Weights of a layer.
class LayerWeights {
 public:
  LayerWeights(ProgramBuilder& b, std::int64_t layer) : b_(b), layer_(layer) {}

  int matrix(std::string_view name, std::int64_t rows, std::int64_t columns) const {
    return b_.weight(fmt::format("blk.*.{}.weight", name), rows, columns,
                     b_.options().numerics.products.weights, layer_);
  }
  int vector(std::string_view name, std::int64_t columns) const {
    return b_.weight(fmt::format("blk.*.{}", name), 1, columns, std::nullopt, layer_);
  }

 private:
  ProgramBuilder& b_;
  std::int64_t layer_;
};

}  // namespace

void add_attention(ProgramBuilder& b, Block& block, const LayerKind& layer) {
  const Architecture& m = b.model();
  const ModelShare& share = b.share();
  const ProductNumerics& products = b.options().numerics.products;
  const LayerWeights weights(b, layer.first);
  const std::int64_t q_width = share.q_columns;
  const std::int64_t kv_width = share.kv_columns;
  const int h = b.activation("h", kTokens, m.d_model);
  const int qkv = b.activation("qkv", kTokens, q_width + 2 * kv_width);
  const int q = b.activation("q", kTokens, q_width);
  const int attn = b.activation("attn", kTokens, q_width);
  const int keys = b.cache("k_cache", share.kv_heads, m.head_dim);
  const int values = b.cache("v_cache", share.kv_heads, m.head_dim);

  b.add_norm(block, "attn_norm", weights.vector("attn_norm.weight", m.d_model));
  const int wq = weights.matrix("attn_q", q_width, m.d_model);
  const int wk = weights.matrix("attn_k", kv_width, m.d_model);
  const int wv = weights.matrix("attn_v", kv_width, m.d_model);
  block.kernels.push_back(b.gemm("qkv", kTokens, h, {wq, wk, wv}, qkv, Epilogue::none, products));

  std::vector<int> extras;
  if (m.qkv_bias) {
    extras = {weights.vector("attn_q.bias", q_width), weights.vector("attn_k.bias", kv_width),
              weights.vector("attn_v.bias", kv_width)};
  }
  if (m.qk_norm) {
    extras.push_back(weights.vector("attn_q_norm.weight", m.head_dim));
    extras.push_back(weights.vector("attn_k_norm.weight", m.head_dim));
  }
  block.kernels.push_back(b.rowwise("rope", Op::rope, kTokens, q_width + 2 * kv_width, {qkv},
                                    std::move(extras), {q, keys, values}));
  block.kernels.push_back(
      b.attention("attention", q, {keys, values}, attn, share.kv_heads, m.head_dim, m.head_dim));
  block.kernels.back().window = layer.window;
  const int wo = weights.matrix("attn_output", m.d_model, q_width);
  b.add_to_residual(
      block, b.gemm("attn_out", kTokens, attn, {wo}, b.residual(), Epilogue::none, products));
}

void add_latent_attention(ProgramBuilder& b, Block& block, const LayerKind& layer) {
  const Architecture& m = b.model();
  const LatentAttention& l = m.latent;
  const std::int64_t heads = b.share().heads;
  const std::int64_t latent = l.kv_rank + l.rope_dim;
  const std::int64_t q_dim = l.nope_dim + l.rope_dim;
  const ProductNumerics& products = b.options().numerics.products;
  const LayerWeights weights(b, layer.first);
  const int h = b.activation("h", kTokens, m.d_model);
  const int down = b.activation("latent", kTokens, l.q_rank + latent);
  const int normed = b.activation("latent_normed", kTokens, l.q_rank + latent);
  const int queries = b.activation("queries", kTokens, heads * q_dim);
  const int q = b.activation("q", kTokens, heads * q_dim);
  const int cache = b.cache("latent_cache", 1, latent);
  const int attn = b.activation("attn", kTokens, heads * l.value_dim);

  b.add_norm(block, "attn_norm", weights.vector("attn_norm.weight", m.d_model));
  const int q_a = weights.matrix("attn_q_a", l.q_rank, m.d_model);
  const int kv_a = weights.matrix("attn_kv_a_mqa", latent, m.d_model);
  block.kernels.push_back(
      b.gemm("qkv_down", kTokens, h, {q_a, kv_a}, down, Epilogue::none, products));
  const int q_norm = weights.vector("attn_q_a_norm.weight", l.q_rank);
  const int kv_norm = weights.vector("attn_kv_a_norm.weight", l.kv_rank);
  block.kernels.push_back(b.rowwise("latent_norm", Op::rmsnorm, kTokens, l.q_rank + l.kv_rank,
                                    {down}, {q_norm, kv_norm}, {normed}));
  const int q_b = weights.matrix("attn_q_b", heads * q_dim, l.q_rank);
  block.kernels.push_back(
      b.gemm("q_up", kTokens, normed, {q_b}, queries, Epilogue::none, products));
  block.kernels.push_back(
      b.rowwise("rope", Op::rope, kTokens, (heads + 1) * l.rope_dim, {queries}, {}, {q, cache}));

  const int k_b = weights.matrix("attn_k_b", heads * l.nope_dim, l.kv_rank);
  const int v_b = weights.matrix("attn_v_b", heads * l.value_dim, l.kv_rank);
  const Routing every_head{heads, heads, heads};
  const Extent pairs{heads, Symbol::T};
  const auto for_those = [&](Subset over, Kernel k) {
    k.over = over;
    block.kernels.push_back(std::move(k));
  };
  const int q_latent = b.activation("q_latent", kTokens, heads * latent);
  const int out_latent = b.activation("attn_latent", kTokens, heads * l.kv_rank);
  for_those(Subset::decode, b.grouped_gemm("q_absorb", every_head, pairs, l.kv_rank, l.nope_dim, q,
                                           {k_b}, q_latent, Epilogue::none));
  const std::int64_t groups = heads % kHeadsTogether == 0 ? heads / kHeadsTogether : 1;
  for_those(Subset::decode, b.attention("attention_absorbed", q_latent, {cache}, out_latent, groups,
                                        latent, l.kv_rank));
  for_those(Subset::decode, b.grouped_gemm("v_absorb", every_head, pairs, l.value_dim, l.kv_rank,
                                           out_latent, {v_b}, attn, Epilogue::none));

  const Extent all_keys{1, Symbol::K};
  const int expanded = b.activation("kv_expanded", all_keys, heads * (l.nope_dim + l.value_dim));
  for_those(Subset::prefill,
            b.gemm("kv_up", all_keys, cache, {k_b, v_b}, expanded, Epilogue::none, products));
  for_those(Subset::prefill,
            b.attention("attention_expanded", q, {expanded}, attn, heads, q_dim, l.value_dim));
  const int wo = weights.matrix("attn_output", m.d_model, heads * l.value_dim);
  b.add_to_residual(
      block, b.gemm("attn_out", kTokens, attn, {wo}, b.residual(), Epilogue::none, products));
}

}  // namespace presil

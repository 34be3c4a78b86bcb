#include <fmt/format.h>

#include "compiler/layer_kernels.h"

namespace presil {
namespace {

constexpr Extent kTokens{1, Symbol::T};

int matrix(ProgramBuilder& b, std::string_view name, std::int64_t rows, std::int64_t columns,
           const std::optional<Operand>& made, std::int64_t layer) {
  return b.weight(fmt::format("blk.*.{}.weight", name), rows, columns, made, layer);
}

void add_ffn_norm(ProgramBuilder& b, Block& block, std::int64_t layer) {
  b.add_norm(block, "ffn_norm",
             b.weight("blk.*.ffn_norm.weight", 1, b.model().d_model, std::nullopt, layer));
}

/// Experts that checkpoints keep narrower than the numerics would stay as they are.
std::optional<Operand> expert_operand(const ProgramBuilder& b) {
  const CompileOptions& o = b.options();
  const auto& kept = b.model().experts.kept;
  const auto& made = o.numerics.products.weights;
  if (!kept) return made;
  if (!made) return o.weights == b.model().dtype ? kept : made;
  const auto size = [](const Operand& operand) {
    return stored_bytes(operand.format, operand.scaling, 256, 256);
  };
  return size(*kept) < size(*made) ? kept : made;
}

/// Gate (where the model has one), up and down of `d_ff` columns: `prefix` names the kernels,
/// `suffix` the weights.
Kernel dense_block(ProgramBuilder& b, Block& block, std::int64_t layer, const std::string& prefix,
                   const std::string& suffix, std::int64_t d_ff) {
  const std::int64_t d = b.model().d_model;
  const ProductNumerics& products = b.options().numerics.products;
  const int h = b.activation("h", kTokens, d);
  const int f = b.activation(suffix.empty() ? "f" : "f" + suffix, kTokens, d_ff);
  if (b.model().gated) {
    const int gate = matrix(b, "ffn_gate" + suffix, d_ff, d, products.weights, layer);
    const int up = matrix(b, "ffn_up" + suffix, d_ff, d, products.weights, layer);
    block.kernels.push_back(
        b.gemm(prefix + "gate_up", kTokens, h, {gate, up}, f, Epilogue::swiglu, products));
  } else {
    const int up = matrix(b, "ffn_up" + suffix, d_ff, d, products.weights, layer);
    block.kernels.push_back(b.gemm(prefix + "up", kTokens, h, {up}, f, Epilogue::gelu, products));
  }
  const int down = matrix(b, "ffn_down" + suffix, d, d_ff, products.weights, layer);
  return b.gemm(prefix + "down", kTokens, f, {down}, b.residual(), Epilogue::none, products);
}

/// The products of the experts over `pairs` rows; returns what they give.
int add_expert_products(ProgramBuilder& b, Block& block, std::int64_t layer, const Routing& routing,
                        Extent pairs) {
  const std::int64_t d = b.model().d_model;
  const std::int64_t d_ff = b.share().expert_d_ff;
  const auto made = expert_operand(b);
  const int in = b.activation("expert_in", pairs, d);
  const int f = b.activation("expert_f", pairs, d_ff);
  const int out = b.activation("expert_out", pairs, d);
  const int gate = matrix(b, "ffn_gate_exps", routing.here * d_ff, d, made, layer);
  const int up = matrix(b, "ffn_up_exps", routing.here * d_ff, d, made, layer);
  block.kernels.push_back(b.grouped_gemm("experts_gate_up", routing, pairs, 2 * d_ff, d, in,
                                         {gate, up}, f, Epilogue::swiglu));
  const int down = matrix(b, "ffn_down_exps", routing.here * d, d_ff, made, layer);
  block.kernels.push_back(
      b.grouped_gemm("experts_down", routing, pairs, d, d_ff, f, {down}, out, Epilogue::none));
  return out;
}

/// The router's product is kept and multiplied in the stream's format, as engines do.
int add_router(ProgramBuilder& b, Block& block, std::int64_t layer, const Routing& routing) {
  const Architecture& m = b.model();
  const Format stream = b.options().numerics.stream;
  ProductNumerics products;
  products.activations = products.weights = Operand{stream};
  const int h = b.activation("h", kTokens, m.d_model);
  const int scores = b.activation("scores", kTokens, m.experts.count, Format::fp32);
  const int routes = b.activation("routes", kTokens, 2 * m.experts.per_token, Format::fp32);
  const int w = matrix(b, "ffn_gate_inp", m.experts.count, m.d_model, products.weights, layer);
  block.kernels.push_back(b.gemm("router", kTokens, h, {w}, scores, Epilogue::none, products));
  block.kernels.push_back(
      b.rowwise("top_k", Op::top_k, kTokens, m.experts.count, {scores}, {}, {routes}));
  block.kernels.back().routing = routing;
  return routes;
}

/// Every chip of the tensor group has all tokens and computes its part of each token's sum.
void add_local_experts(ProgramBuilder& b, Block& block, const LayerKind& layer,
                       const Routing& routing, Extent pairs, int routes) {
  const std::int64_t d = b.model().d_model;
  const int h = b.activation("h", kTokens, d);
  const int in = b.activation("expert_in", pairs, d);
  block.kernels.push_back(b.rowwise("dispatch", Op::dispatch, pairs, d, {h, routes}, {}, {in}));
  block.kernels.back().routing = routing;
  const int out = add_expert_products(b, block, layer.first, routing, pairs);
  const bool alone = b.chips() == 1;
  Kernel combine = b.rowwise("combine", Op::combine, kTokens, d, {out, routes}, {},
                             {alone ? b.residual() : b.partial()});
  combine.routing = routing;
  // With a shared expert, what it gave is there already.
  const bool adds = alone || b.share().shared_d_ff > 0;
  combine.epilogue = adds ? Epilogue::add : Epilogue::none;
  block.kernels.push_back(std::move(combine));
  if (!alone) b.sum_over_group(block, "experts", Epilogue::add);
}

/// Pairs travel to the chips that have their experts, and back.
void add_remote_experts(ProgramBuilder& b, Block& block, const LayerKind& layer,
                        const Routing& routing, Extent pairs, int routes) {
  const std::int64_t d = b.model().d_model;
  const std::int64_t group = b.options().expert_parallel;
  const Extent own{routing.per_token, Symbol::T, b.chips()};  // pairs of the chip's tokens
  const Extent own_tokens{1, Symbol::T, b.chips()};
  const int h = b.activation("h", kTokens, d);
  const int sent = b.activation("pairs_out", own, d);
  const int in = b.activation("expert_in", pairs, d);
  block.kernels.push_back(b.rowwise("dispatch", Op::dispatch, own, d, {h, routes}, {}, {sent}));
  block.kernels.back().routing = routing;
  block.kernels.push_back(
      b.collective("dispatch_all_to_all", Op::all_to_all, own, d, sent, in, group));
  const int out = add_expert_products(b, block, layer.first, routing, pairs);
  const int back = b.activation("pairs_back", own, d);
  block.kernels.push_back(
      b.collective("combine_all_to_all", Op::all_to_all, pairs, d, out, back, group));
  const bool gathers = b.chips() > 1 && !b.options().sequence_parallel;
  const int sums = gathers ? b.activation("token_sums", own_tokens, d) : b.residual();
  Kernel combine = b.rowwise("combine", Op::combine, own_tokens, d, {back, routes}, {}, {sums});
  combine.routing = routing;
  combine.epilogue = gathers ? Epilogue::none : Epilogue::add;
  block.kernels.push_back(std::move(combine));
  if (!gathers) return;
  Kernel gather = b.collective("experts_all_gather", Op::all_gather, own_tokens, d, sums,
                               b.residual(), b.chips());
  gather.epilogue = Epilogue::add;
  block.kernels.push_back(std::move(gather));
}

}  // namespace

void add_dense_feed_forward(ProgramBuilder& b, Block& block, const LayerKind& layer) {
  add_ffn_norm(b, block, layer.first);
  b.add_to_residual(block, dense_block(b, block, layer.first, "", "", b.share().d_ff));
}

void add_experts(ProgramBuilder& b, Block& block, const LayerKind& layer) {
  const ModelShare& share = b.share();
  const Experts& e = b.model().experts;
  const Routing routing{e.count, share.experts, e.per_token, share.joined,
                        b.options().expert_imbalance};
  const Extent pairs{e.per_token * share.joined, Symbol::T, e.count / share.experts};
  const bool remote = share.joined > 1;

  add_ffn_norm(b, block, layer.first);
  if (share.shared_d_ff > 0) {
    Kernel down = dense_block(b, block, layer.first, "shared_", "_shexp", share.shared_d_ff);
    if (remote || b.chips() == 1) {
      b.add_to_residual(block, std::move(down));
    } else {
      down.outputs = {b.partial()};
      block.kernels.push_back(std::move(down));
    }
  }
  const int routes = add_router(b, block, layer.first, routing);
  if (remote) {
    add_remote_experts(b, block, layer, routing, pairs, routes);
  } else {
    add_local_experts(b, block, layer, routing, pairs, routes);
  }
}

}  // namespace presil

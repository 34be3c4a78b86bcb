#include "compiler/compile.h"

#include <algorithm>

#include "base/integers.h"
#include "compiler/kept_weights.h"
#include "compiler/layer_kernels.h"
#include "compiler/program_builder.h"

namespace presil {
namespace {

constexpr Extent kTokens{1, Symbol::T};
constexpr Extent kSequences{1, Symbol::S};

int add_table(ProgramBuilder& b) {
  return b.weight("token_embd.weight", b.share().vocab, b.model().d_model,
                  embedding_operand(b.model(), b.options().numerics));
}

/// Chips hold rows of the table, so with several the rows looked up are summed.
int add_embedding(ProgramBuilder& b) {
  const int table = add_table(b);
  Block embed{"embed", 1, {}, 0};
  const int out = b.chips() > 1 ? b.partial() : b.residual();
  embed.kernels.push_back(
      b.rowwise("embed", Op::embed, kTokens, b.model().d_model, {}, {table}, {out}));
  if (b.chips() > 1) b.sum_over_group(embed, "embed", Epilogue::none);
  b.add(std::move(embed));
  return table;
}

void add_layers(ProgramBuilder& b, const LayerRun& layers) {
  const Architecture& m = b.model();
  const LayerKind kind{layers.first, window_of(m, layers.first), has_experts(m, layers.first)};
  Block block{"layer", layers.count, {}, layers.first};
  (m.latent.kv_rank > 0 ? add_latent_attention : add_attention)(b, block, kind);
  (kind.has_experts ? add_experts : add_dense_feed_forward)(b, block, kind);
  b.add(std::move(block));
}

/// The norm of each sequence's last token; spread over the chips where the residual stream is.
int add_final_norm(ProgramBuilder& b, Block& head) {
  const std::int64_t d = b.model().d_model;
  const int weight = b.weight("output_norm.weight", 1, d, std::nullopt);
  const int last = b.activation("last", kSequences, d);
  if (!b.options().sequence_parallel) {
    head.kernels.push_back(
        b.rowwise("final_norm", Op::rmsnorm, kSequences, d, {b.residual()}, {weight}, {last}));
    return last;
  }
  const Extent part_of_them{1, Symbol::S, b.chips()};
  const int part = b.activation("last_part", part_of_them, d);
  head.kernels.push_back(
      b.rowwise("final_norm", Op::rmsnorm, part_of_them, d, {b.residual()}, {weight}, {part}));
  head.kernels.push_back(b.collective("final_norm_all_gather", Op::all_gather, part_of_them, d,
                                      part, last, b.chips()));
  return last;
}

void add_head(ProgramBuilder& b, std::optional<int> table) {
  const Architecture& m = b.model();
  const ProductNumerics& products = b.options().numerics.of_head();
  Block head{"head", 1, {}, 0};
  const int last = add_final_norm(b, head);
  int weight = 0;
  if (m.tied_embeddings) {
    weight = table ? *table : add_table(b);
  } else {
    weight = b.weight("output.weight", b.share().vocab, m.d_model, products.weights);
  }
  int logits = b.activation("logits", kSequences, b.share().vocab, Format::fp32);
  head.kernels.push_back(
      b.gemm("lm_head", kSequences, last, {weight}, logits, Epilogue::none, products));
  if (b.chips() > 1) {
    const int all = b.activation("all_logits", kSequences, m.vocab_size, Format::fp32);
    head.kernels.push_back(b.collective("logits_all_gather", Op::all_gather, kSequences,
                                        b.share().vocab, logits, all, b.chips()));
    logits = all;
  }
  const int token = b.activation("token", kSequences, 1, Format::fp32);
  Kernel choice = b.rowwise(b.options().samples ? "sample" : "argmax",
                            b.options().samples ? Op::sample : Op::argmax, kSequences, m.vocab_size,
                            {logits}, {}, {token});
  const std::int64_t stripe = ceil_div(m.vocab_size, b.cores());
  choice.mappings.front().loops = {{Axis::m, 1, Over::time}, {Axis::n, stripe, Over::cores}};
  head.kernels.push_back(std::move(choice));
  b.add(std::move(head));
}

/// What an encoder gives: the norm of every position.
void add_encoded(ProgramBuilder& b) {
  const std::int64_t d = b.model().d_model;
  const int weight = b.weight("output_norm.weight", 1, d, std::nullopt);
  const int encoded = b.activation("encoded", kTokens, d);
  Block head{"head", 1, {}, 0};
  head.kernels.push_back(
      b.rowwise("final_norm", Op::rmsnorm, kTokens, d, {b.residual()}, {weight}, {encoded}));
  b.add(std::move(head));
}

/// What the next stage goes on with, each chip to its counterpart there.
void add_send(ProgramBuilder& b) {
  Block send{"send", 1, {}, 0};
  send.kernels.push_back(b.collective("send", Op::send_recv, b.residual_rows(), b.model().d_model,
                                      b.residual(), b.residual(), b.chips()));
  b.add(std::move(send));
}

}  // namespace

Feasible<Program> compile(const Architecture& model, const Chip& chip, const MemoryPart& part,
                          const CompileOptions& options) {
  ProgramBuilder b(model, chip, part, options);
  std::optional<int> table;
  if (options.stage == 0) table = add_embedding(b);
  const std::int64_t first = b.share().first_layer;
  for (const LayerRun& layers : runs_of_like_layers(model, options, first, b.share().layers)) {
    add_layers(b, layers);
  }
  if (options.stage + 1 < options.pipeline_parallel) {
    add_send(b);
  } else if (model.encoder) {
    add_encoded(b);
  } else {
    add_head(b, table);
  }
  return b.finish();
}

}  // namespace presil

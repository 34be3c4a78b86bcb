// One line a fact, two spaces a level:
//
//   program smollm2-135m on artemis-hbm3e
//   numerics ggml kv_cache=fp32 attention=fp32 stream=fp32 ... (numerics_text.h)
//   machine tensor_parallel 1 cores 64 local 393216 shared 268435456 dram 154618822656 unit 32768
//   model max_context 8192 weights 98304000
//   weight blk.*.attn_q.weight q4_1 [576, 576] at 30081024 + 1998848
//   activation x fp32 [T, 576]
//   block layer x 30
//     gemm qkv [m=T n=960 k=576] in int8
//       h * blk.*.attn_q.weight blk.*.attn_k.weight blk.*.attn_v.weight -> qkv
//       map m <= 16: n/32 cores, m/1 cores, k/576 time
#include "program/text.h"

#include <map>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "program/loop_text.h"
#include "program/numerics_text.h"

namespace presil {
namespace {

std::string print(Extent e) {
  if (e.symbol == Symbol::one) return std::to_string(e.scale);
  return fmt::format("{}{}{}", e.scale == 1 ? "" : std::to_string(e.scale), to_string(e.symbol),
                     e.parts == 1 ? "" : fmt::format("/{}", e.parts));
}

/// What only some kernels have, as words.
std::string particulars(const Kernel& k) {
  std::string text;
  if (k.epilogue != Epilogue::none) text += fmt::format(" then {}", to_string(k.epilogue));
  if (k.over != Subset::all) text += fmt::format(" for {}", to_string(k.over));
  if (k.window.both_ways) text += " both_ways";
  if (k.window.keys > 0) {
    text += fmt::format(" {} {}", k.window.chunked ? "chunk" : "window", k.window.keys);
  }
  if (k.group > 1) text += fmt::format(" group {}", k.group);
  const Routing& r = k.routing;
  if (r.experts > 0) {
    text += fmt::format(" experts {} of {} here {} joined {} imbalance {}", r.per_token, r.experts,
                        r.here, r.joined, r.imbalance);
  }
  return text;
}

/// What the tensors are called in the text: by their names; those of later blocks of layers, whose
/// names stood before, with #2, #3, ... behind.
std::vector<std::string> labels_of(const Program& program) {
  std::map<std::string_view, int> seen;
  std::vector<std::string> labels;
  for (const Tensor& t : program.tensors) {
    const int n = ++seen[t.name];
    labels.push_back(n == 1 ? t.name : fmt::format("{}#{}", t.name, n));
  }
  return labels;
}

std::string print(const Kernel& k, const std::vector<std::string>& labels) {
  std::string extents;
  for (std::size_t i = 0; i < kAxes; ++i) {
    const auto a = static_cast<Axis>(i);
    if (k.extent(a) == Extent{}) continue;
    extents += fmt::format("{}{}={}", extents.empty() ? "" : " ", to_string(a), print(k.extent(a)));
  }
  std::string text =
      fmt::format("  {} {} [{}] in {}", to_string(k.op), k.name, extents, to_string(k.multiply));
  text += particulars(k) + "\n   ";
  for (const int t : k.inputs) text += " " + labels[static_cast<std::size_t>(t)];
  if (!k.weights.empty()) text += " *";
  for (const int t : k.weights) text += " " + labels[static_cast<std::size_t>(t)];
  text += " ->";
  for (const int t : k.outputs) text += " " + labels[static_cast<std::size_t>(t)];
  text += "\n";
  for (const Mapping& m : k.mappings) {
    const bool any = m.max_m == kAnyRows;
    text += fmt::format("    map {}:", any ? "any rows" : fmt::format("rows <= {}", m.max_m));
    for (const Loop& loop : m.loops) {
      text += fmt::format(" {}{}", print(loop), &loop == &m.loops.back() ? "" : ",");
    }
    if (m.split_k > 1) text += fmt::format(", split k by {}", m.split_k);
    if (m.buffers != 2) text += fmt::format(", buffers {}", m.buffers);
    if (m.last_n > 0) text += fmt::format(", last wave n/{}", m.last_n);
    text += "\n";
  }
  return text;
}

}  // namespace

std::string print(const Program& p) {
  const std::vector<std::string> labels = labels_of(p);
  std::string text = fmt::format("program {} on {}\n{}", p.model, p.chip, print(p.numerics));
  text += fmt::format("machine tensor_parallel {} cores {} local {} shared {} dram {} unit {}\n",
                      p.tensor_parallel, p.cores, p.local_memory.count(), p.shared_memory.count(),
                      p.dram_capacity.count(), p.dram_unit.count());
  const Split& s = p.split;
  if (s != Split{}) {
    text += fmt::format("split data {} experts {} stages {} stage {} from {}{}\n", s.data,
                        s.experts, s.stages, s.stage, s.first_layer, s.sequence ? " sequence" : "");
  }
  text +=
      fmt::format("model max_context {} weights {}\n", p.max_context, p.weight_footprint.count());
  for (std::size_t i = 0; i < p.tensors.size(); ++i) {
    const Tensor& t = p.tensors[i];
    text += fmt::format("{} {} {} [{}, {}]", to_string(t.role), labels[i],
                        print(t.format, t.scaling), print(t.rows), t.columns);
    if (t.role == Role::weight) text += fmt::format(" at {} + {}", t.base, t.layer_stride);
    text += "\n";
  }
  for (const Block& block : p.blocks) {
    text += fmt::format("block {} x {}", block.name, block.repeat);
    if (block.first_layer > 0) text += fmt::format(" from {}", block.first_layer);
    text += "\n";
    for (const Kernel& k : block.kernels) text += print(k, labels);
  }
  return text;
}

}  // namespace presil

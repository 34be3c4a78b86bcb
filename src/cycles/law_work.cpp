#include "cycles/law_work.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include "chip/vector_flops.h"
#include "cycles/collective_work.h"
#include "cycles/kernel_meter.h"
#include "cycles/measured_as.h"
#include "kernels/attention_law.h"
#include "kernels/gemm_law.h"
#include "kernels/rowwise_law.h"
#include "program/moe.h"

namespace presil {
namespace {

using kernels::Library;
using kernels::Machine;
using kernels::Situation;
using kernels::Terms;

/// The kernel with what its law reads of the program.
struct Called {
  const BoundProgram& bound;
  const BoundKernel& kernel;
  const Library& library;
  Machine machine;  // at the run's clock

  std::int64_t extent(Axis axis) const { return kernel.extent(axis); }
  const Tensor& tensor(int index) const { return bound.program->tensor(index); }
  Situation situation(std::string type, std::string kernel_class = "") const {
    return {library.software.engine, std::move(type), machine.generation, std::move(kernel_class)};
  }
  double bytes_on_chip() const {
    double bytes = 0;
    const auto add = [&](const std::vector<int>& operands) {
      for (const int t : operands) {
        if (tensor(t).role != Role::activation) continue;
        bytes += static_cast<double>(bound.placements[static_cast<std::size_t>(t)].size.count());
      }
    };
    add(kernel.kernel->inputs);
    add(kernel.kernel->outputs);
    return bytes;
  }
};

Terms rowwise(const Called& c, double flops_an_element) {
  const auto elements = static_cast<double>(c.extent(Axis::m) * c.extent(Axis::n));
  return kernels::rowwise_terms({elements, flops_an_element, c.bytes_on_chip()}, c.machine);
}

LawWork rowwise_work(const Called& c, double flops_an_element) {
  LawWork law;
  law.engine = Resource::vector;
  law.terms = [terms = rowwise(c, flops_an_element)](double) { return terms; };
  return law;
}

/// SwiGLU as a kernel of its own behind the product.
void add_swiglu(const Called& c, Terms& terms) {
  const auto out = static_cast<double>(c.extent(Axis::m) * c.extent(Axis::n)) / 2;
  constexpr double kBf16 = 2;
  const Terms act = kernels::rowwise_terms({out, kSwigluFlops, 3 * kBf16 * out}, c.machine);
  terms.after += act.before + act.work;
}

LawWork gemm_work(const Called& c) {
  const Kernel& k = *c.kernel.kernel;
  const Tensor& weights = c.tensor(k.weights.front());
  const std::string type(gemm_type(*c.bound.program, k));
  kernels::GemmCall call{c.extent(Axis::m), c.extent(Axis::n), c.extent(Axis::k),
                         *kernels::gemm_types(type)};
  if (k.op == Op::grouped_gemm) {
    // As many tiles, bytes of weights and operations as one product whose columns are those of all
    // touched experts side by side.
    const ExpertLoad load = expert_load(k, c.bound.step);
    call.m = load.rows;
    call.n = std::llround(load.touched * static_cast<double>(load.n));
  }
  call.kernel = kernels::gemm_kernel(c.library.software.engine, type, c.machine.generation, call.m,
                                     call.n, call.k);
  call.types.multiply = k.multiply;
  call.types.weights = weights.format;
  call.types.weight_scaling = weights.scaling;
  LawWork law;
  if (c.library.residency == kernels::Residency::cycling) {
    law.traffic = gemm_traffic(call, c.machine, c.library.residency);
  }
  const bool own_swiglu = k.epilogue == Epilogue::swiglu && !c.library.software.fuses_swiglu;
  law.terms = [c, call, own_swiglu,
               constants = c.library.constants.values(
                   kernels::gemm_law(), c.situation(type, std::string(to_string(call.kernel))))](
                  double dram_us) {
    Terms t = gemm_terms(call, c.machine, constants, dram_us);
    if (own_swiglu) add_swiglu(c, t);
    return t;
  };
  return law;
}

bool decodes(const Sequence& s) {
  return s.new_tokens == 1 && s.context > 0;
}

/// Those of `sequences` that `wanted` chooses; which follow each other and are alike are one group.
template <class Wanted>
std::vector<kernels::AttentionGroup> groups_of(const std::vector<Sequence>& sequences,
                                               const Wanted& wanted) {
  std::vector<kernels::AttentionGroup> groups;
  for (const Sequence& s : sequences) {
    if (!wanted(s)) continue;
    if (!groups.empty() && groups.back().seq == s.new_tokens &&
        groups.back().context == s.context) {
      ++groups.back().batch;
    } else {
      groups.push_back({1, s.new_tokens, s.context});
    }
  }
  return groups;
}

/// Keys and values that the sequences of a call read from the cache, in tokens.
double cached_tokens(const std::vector<kernels::AttentionGroup>& groups) {
  double sum = 0;
  for (const auto& g : groups) sum += static_cast<double>(g.batch * (g.context + g.seq));
  return sum;
}

/// One kernel of the library, for sequences that all decode or do not.
LawWork attention_kernel(const Called& c, std::vector<kernels::AttentionGroup> sequences,
                         bool decode) {
  const Kernel& k = *c.kernel.kernel;
  const auto groups = std::make_shared<std::vector<kernels::AttentionGroup>>(std::move(sequences));
  kernels::AttentionCall call;
  call.groups = *groups;
  call.heads = c.extent(Axis::n);
  // Groups of heads may share what a token left in the cache.
  const Tensor& keys = c.tensor(k.inputs[1]);
  call.kv_heads = keys.role == Role::cache ? keys.rows.scale : c.extent(Axis::h);
  // Values of another width than keys: the mean does as many operations.
  const std::int64_t d = c.extent(Axis::d);
  call.head_dim = c.extent(Axis::v) > 1 ? (d + c.extent(Axis::v)) / 2 : d;
  call.window = k.window.keys;
  call.both_ways = k.window.both_ways;
  call.multiply = k.multiply;
  call.cache = c.tensor(k.inputs[1]).format;
  const Situation situation =
      attention_situation(c.library.software.engine, c.machine.generation, call, decode);
  LawWork law;
  if (c.library.residency == kernels::Residency::cycling) {
    law.traffic = decode ? decode_traffic(call, c.machine, c.library.residency, situation.kernel)
                         : prefill_traffic(call, c.machine, c.library.residency);
  }
  const kernels::LawInfo info = decode ? kernels::decode_law() : kernels::prefill_law();
  law.terms = [c, call, groups, decode, situation,
               constants = c.library.constants.values(info, situation)](double dram_us) {
    return decode ? decode_terms(call, c.machine, situation, constants, dram_us)
                  : prefill_terms(call, c.machine, situation, constants, dram_us);
  };
  return law;
}

/// Two kernels one after the other, each with its share of the DRAM's time.
LawWork one_after_the_other(const LawWork& first, const LawWork& second, double first_share) {
  LawWork law;
  law.terms = [first, second, first_share](double dram_us) {
    const double first_us = dram_us * first_share, second_us = dram_us - first_us;
    const Terms a = first.terms(first_us), b = second.terms(second_us);
    const auto body = [](const Terms& t, double us) {
      return kernels::norm(t.work, us / t.dram_share, t.overlap);
    };
    Terms both;
    both.before = a.before + b.before;
    both.overlap = 1;  // work is what the bodies have beside the DRAM's time
    both.work = std::max(0.0, body(a, first_us) + body(b, second_us) - dram_us);
    both.after = a.after + b.after;
    both.kernel = a.kernel + " + " + b.kernel;
    return both;
  };
  if (first.traffic && second.traffic) {
    law.traffic = kernels::Traffic{first.traffic->read + second.traffic->read,
                                   first.traffic->written + second.traffic->written};
  }
  return law;
}

/// TensorRT-LLM runs the sequences of a step that decode and those that do not as two kernels
/// (recalled, from its attention plugin); other engines give all of them to one.
LawWork attention_work(const Called& c) {
  const Subset over = c.kernel.kernel->over;
  const auto those = [&](auto wanted) {
    return groups_of(c.bound.step.sequences,
                     [&](const Sequence& s) { return is_in(over, s) && wanted(s); });
  };
  auto all = those([](const Sequence&) { return true; });
  if (is_decode(c.bound.step, *c.kernel.kernel)) return attention_kernel(c, std::move(all), true);
  auto decoding = those(decodes);
  if (c.library.software.engine != "trtllm" || decoding.empty()) {
    return attention_kernel(c, std::move(all), false);
  }
  auto others = those([](const Sequence& s) { return !decodes(s); });
  const double share = cached_tokens(others) / cached_tokens(all);
  return one_after_the_other(attention_kernel(c, std::move(others), false),
                             attention_kernel(c, std::move(decoding), true), share);
}

/// Over links and networks, with the algorithms and protocols of the engine.
LawWork exchange(const Called& c, const kernels::CollectiveCall& call, LaunchMode mode) {
  LawWork law;
  law.engine = Resource::link;
  const Situation situation =
      kernels::collective_situation(c.library.software.collectives, to_string(mode), c.machine);
  law.terms = [terms = collective_terms(
                   call, c.machine, situation,
                   c.library.constants.values(kernels::collective_law(), situation))](double) {
    return terms;
  };
  return law;
}

/// Has no kernel of its own in this engine.
LawWork nothing() {
  LawWork law;
  law.terms = [](double) { return Terms{}; };
  return law;
}

}  // namespace

LawWork law_work(const BoundProgram& bound, std::size_t block, std::size_t kernel, const Chip& chip,
                 const Library& library, double clock, LaunchMode mode) {
  Called c{bound, bound.blocks[block].kernels[kernel], library, library.machine};
  c.machine.clock_ghz *= clock;
  c.machine.l2_gbs *= clock;
  switch (c.kernel.kernel->op) {
    case Op::gemm:
    case Op::grouped_gemm:
      return gemm_work(c);
    case Op::attention:
      return attention_work(c);
    case Op::rope:
      return library.software.fuses_rope ? nothing() : rowwise_work(c, kRopeFlops);
    case Op::rmsnorm:
      return rowwise_work(c, kNormFlops);
    case Op::embed:
    case Op::argmax:
    case Op::dispatch:
      return rowwise_work(c, 1);
    case Op::top_k:
    case Op::sample:
      return rowwise_work(c, kSoftmaxFlops);
    case Op::combine:
      return rowwise_work(c,
                          static_cast<double>(kCombineFlops * c.kernel.kernel->routing.per_token));
    case Op::convert:
      return rowwise_work(c, kQuantiseFlops);
    case Op::all_reduce:
    case Op::all_gather:
    case Op::reduce_scatter:
    case Op::all_to_all:
    case Op::send_recv:
      return exchange(c, collective_call(KernelMeter(bound, block, kernel, 0, chip)), mode);
  }
  return nothing();
}

}  // namespace presil

#include "explore/deployment.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "base/integers.h"
#include "base/parallel.h"
#include "chip/derived.h"
#include "chip/dram_shape.h"
#include "explore/prepare.h"
#include "explore/standing_power.h"
#include "explore/steps.h"
#include "explore/what_fits.h"

namespace presil {
namespace {

using serving::EngineOptions;

void check_engine(const EngineOptions& e) {
  const auto within = [](std::int64_t value, std::int64_t most, const char* name) {
    if (value < 1 || value > most) {
      throw InputError(fmt::format("engine: {}: expected 1 to {}, found {}", name, most, value));
    }
  };
  within(e.max_num_seqs, 65536, "max_num_seqs");
  within(e.max_num_batched_tokens, std::int64_t{1} << 20, "max_num_batched_tokens");
  within(e.max_model_len, std::int64_t{1} << 30, "max_model_len");
  within(e.block_size, 65536, "block_size");
  if (!(e.gpu_memory_utilization > 0 && e.gpu_memory_utilization <= 1)) {
    throw InputError(fmt::format("engine: gpu_memory_utilization: expected over 0 to 1, found {}",
                                 e.gpu_memory_utilization));
  }
}

/// Bytes that a token of a sequence of `length` tokens keeps on one chip of a stage.
double cache_bytes(const Program& program, std::int64_t length) {
  double sum = 0;
  for (const Block& block : program.blocks) {
    std::vector<int> seen;
    for (const Kernel& kernel : block.kernels) {
      if (kernel.op != Op::attention) continue;
      for (const int t : kernel.inputs) {
        const Tensor& tensor = program.tensor(t);
        if (tensor.role != Role::cache || std::find(seen.begin(), seen.end(), t) != seen.end()) {
          continue;
        }
        seen.push_back(t);
        const std::int64_t window = kernel.window.keys;
        const double kept =
            window > 0 ? static_cast<double>(std::min(window, length)) / static_cast<double>(length)
                       : 1;
        sum += kept * static_cast<double>(block.repeat * tensor.bytes(tensor.rows.scale).count());
      }
    }
  }
  return sum;
}

/// What activations take of the DRAM when a step is as large as the engine lets it be. Behind a
/// cache all of them have their addresses there; else those that the shared memory has no room for.
Bytes workspace_of(const Program& program, const EngineOptions& e, const Chip& chip) {
  const std::int64_t tokens = std::min(e.max_num_batched_tokens, program.max_context);
  const std::int64_t sequences = std::min(e.max_num_seqs, tokens);
  Step step;
  step.sequences.assign(static_cast<std::size_t>(sequences), {1, 0});
  step.sequences.front().new_tokens = tokens - sequences + 1;
  const BoundProgram bound = bind(program, step).value();  // has any capacity
  std::int64_t spilled = 0, shared = 0;
  for (std::size_t i = 0; i < program.tensors.size(); ++i) {
    if (program.tensors[i].role != Role::activation) continue;
    const Placement& p = bound.placements[i];
    if (p.level == Level::shared) shared = std::max(shared, p.address + p.size.count());
    if (p.level == Level::dram) spilled += p.size.count();
  }
  const bool behind_cache = chip.sram && chip.sram->managed == Managed::cache;
  return Bytes(spilled + (behind_cache ? shared : 0));
}

std::string gigabytes(double bytes) {
  return fmt::format("{:.2f} GB", bytes / 1e9);
}

/// The format that most operations of the model are multiplied in.
Format multiplied(const Program& program) {
  for (const Block& block : program.blocks) {
    for (const Kernel& k : block.kernels) {
      if ((k.op == Op::gemm || k.op == Op::grouped_gemm) && block.repeat > 1) return k.multiply;
    }
  }
  return Format::bf16;
}

/// The model that proposes for `d`'s, in the same way on the same chips. None when none is named.
Feasible<std::shared_ptr<const Deployment>> deploy_draft(const Deployment& d, RunRequest design,
                                                         const Places& places) {
  EngineOptions engine = d.engine;
  const std::string name = engine.speculation.tokens > 0 ? engine.speculation.draft : "";
  if (name.empty()) return nullptr;
  design.model = name;
  engine.speculation = {};
  auto draft = deploy({design, engine}, places);
  if (!draft) return tl::unexpected(draft.error());
  const auto check = [&](std::int64_t has, const char* what, std::int64_t needed,
                         const char* whose) {
    if (has == needed) return;
    throw InputError(fmt::format("engine: speculative.draft: {} {} {} tokens, {} {}", name, what,
                                 has, whose, needed));
  };
  check(draft->prepared.model.vocab_size, "has a vocabulary of", d.prepared.model.vocab_size,
        "the model's has");
  check(draft->engine.max_model_len, "reads up to", d.engine.max_model_len, "max_model_len is");
  return std::make_shared<const Deployment>(std::move(*draft));
}

}  // namespace

Feasible<Deployment> deploy(const DeploymentRequest& request, const Places& places) {
  Deployment d;
  d.engine = request.engine;
  RunRequest design = request.design;
  design.mode = Mode::cycles;
  if (design.kv_page == 0) design.kv_page = d.engine.block_size;
  check_engine(d.engine);
  auto prepared = prepare(design, places);
  if (!prepared) return tl::unexpected(prepared.error());
  d.prepared = std::move(*prepared);
  d.engine.pipeline_stages = design.pipeline_parallel;
  d.engine.max_model_len = std::min(d.engine.max_model_len, d.prepared.program.max_context);
  auto draft = deploy_draft(d, design, places);
  if (!draft) return tl::unexpected(draft.error());
  d.draft = std::move(*draft);
  d.chips = chips_of(design);
  d.chips_of_stage = design.tensor_parallel * design.data_parallel;

  const Chip& chip = d.prepared.chip.chip;
  const auto chips = static_cast<double>(d.chips);
  d.memory = d.prepared.program.dram_capacity;
  d.idle = Watts(chip.power.idle.count() * chips);
  d.limit = Watts(chip.power.limit.count() * chips);
  d.peak_flops = FlopsPerSecond(peak_flops(chip, multiplied(d.prepared.program)).count() * chips);

  const double usable = static_cast<double>(d.memory.count()) * d.engine.gpu_memory_utilization;
  std::optional<double> tokens;  // that the fullest stage has room for
  double token_bytes = 0;        // of its chips, each
  const auto drafts = d.draft ? stages_of(d.draft->prepared) : std::vector<const Program*>();
  const auto add_stage = [&](Program& program, std::size_t stage) {
    program.dram_capacity = kAnyCapacity;
    Bytes weights = program.weight_footprint;
    Bytes workspace = workspace_of(program, d.engine, chip);
    double a_token = cache_bytes(program, d.engine.max_model_len);
    if (d.draft) {
      weights += drafts[stage]->weight_footprint;
      a_token += cache_bytes(*drafts[stage], d.engine.max_model_len);
      // The two run one after the other.
      workspace = std::max(workspace, workspace_of(*drafts[stage], d.engine, chip));
    }
    const double room = usable - static_cast<double>((weights + workspace).count());
    d.cache_bytes_per_token += a_token * static_cast<double>(design.tensor_parallel);
    if (tokens && room / a_token >= *tokens) return;
    tokens = room / a_token;
    token_bytes = a_token;
    d.weights = weights;
    d.workspace = workspace;
  };
  add_stage(d.prepared.program, 0);
  for (std::size_t i = 0; i < d.prepared.later_stages.size(); ++i) {
    add_stage(d.prepared.later_stages[i], 1 + i);
  }

  const std::int64_t fit =
      static_cast<std::int64_t>(std::max(0.0, *tokens) / static_cast<double>(d.engine.block_size)) *
      design.data_parallel;
  if (d.engine.num_blocks == 0 || fit < d.engine.num_blocks) {
    const std::int64_t needed = d.engine.num_blocks > 0
                                    ? d.engine.num_blocks
                                    : ceil_div(d.engine.max_model_len, d.engine.block_size);
    if (fit < needed) {
      // Also what weights and activations alone have no room for.
      const auto of_group = static_cast<double>(needed) / static_cast<double>(design.data_parallel);
      const double missing =
          (of_group * static_cast<double>(d.engine.block_size) - *tokens) * token_bytes;
      Infeasible answer;
      answer.reason = fmt::format(
          "{} on {} x {}: {} blocks of {} tokens are needed for the KV cache, {} fit: {} a chip "
          "too much ({} x {} less {} of weights and {} of activations)",
          d.prepared.model.name, d.chips, chip.name, needed, d.engine.block_size, fit,
          gigabytes(missing), gigabytes(static_cast<double>(d.memory.count())),
          d.engine.gpu_memory_utilization, gigabytes(static_cast<double>(d.weights.count())),
          gigabytes(static_cast<double>(d.workspace.count())));
      design.batch = design.data_parallel;
      design.prompt_tokens = d.engine.max_model_len;
      design.phase = PhaseChoice::prefill;
      answer.remedy = what_would_fit(design, places);
      if (fit > 0) {
        answer.remedy += fmt::format("{}max_model_len {} would fit",
                                     answer.remedy.empty() ? "" : "; ", fit * d.engine.block_size);
      }
      return tl::unexpected(std::move(answer));
    }
    d.engine.num_blocks = fit;
  }
  d.cache = Bytes(
      static_cast<std::int64_t>(static_cast<double>(d.engine.num_blocks * d.engine.block_size) *
                                d.cache_bytes_per_token / static_cast<double>(d.chips)));
  return d;
}

void require_decoder(const Deployment& d) {
  if (!d.prepared.model.encoder) return;
  throw InputError(fmt::format("{} is an encoder: it writes no tokens", d.prepared.model.name));
}

Feasible<TimedStep> time_step_of(const Deployment& d, const Step& step) {
  const RunRequest& design = d.prepared.request;
  Step hand = heaviest_hand(step.sequences, design.data_parallel);
  hand.page_tokens = page_tokens(d.prepared);
  const std::vector<const Program*> programs = stages_of(d.prepared);
  std::vector<std::optional<Feasible<PhaseResult>>> timed(programs.size());
  parallel_each(programs.size(), [&](std::size_t i) {
    timed[i] = run_phase("step", *programs[i], {hand}, d.prepared.chip, cycles_options(d.prepared),
                         clocking(design));
  });
  Picoseconds time(0), interval(0);
  for (const auto& stage : timed) {
    if (!*stage) return tl::unexpected(stage->error());
    time += (*stage)->timeline.total;
    interval = std::max(interval, (*stage)->timeline.total);
  }
  TimedStep result{{}, d.prepared.errors.of(**timed.front()), {}};
  serving::StepCost& cost = result.cost;
  cost.time = to_nanoseconds(time);
  cost.interval = to_nanoseconds(interval);
  const auto chips = static_cast<double>(d.chips_of_stage);
  for (const auto& stage : timed) {
    const PhaseResult& p = **stage;
    add(result.charges, p.timeline.charges);
    const double idle_s = to_seconds(interval - p.timeline.total).count();
    cost.energy_j += chips * (p.energy.total().typical +
                              standing_power(p.energy, p.timeline.total).count() * idle_s);
    cost.dram_bytes += chips * static_cast<double>(p.timeline.dram_bytes.count());
    cost.flops += chips * static_cast<double>(p.timeline.flops);
  }
  return result;
}

}  // namespace presil

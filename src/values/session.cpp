#include "values/session.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/interrupt.h"
#include "base/progress.h"
#include "values/number/codes.h"
#include "values/rank.h"
#include "values/step_state.h"

namespace presil {
namespace {

/// Who samples draws from the logits; the greedy token is the program's.
bool is_choice(const Kernel& kernel) {
  return kernel.op == Op::argmax || kernel.op == Op::sample;
}

}  // namespace

Session::Session(const Program& program, const Weights& weights, SessionOptions options)
    : program_(program),
      weights_(weights),
      model_(weights.architecture()),
      options_(std::move(options)),
      frequencies_(weights.rope_frequencies()),
      state_(std::make_unique<StepState>()) {
  const std::int64_t ranks = program.tensor_parallel;
  if (model_.n_kv_heads < ranks && ranks % model_.n_kv_heads != 0) {
    throw InputError(
        fmt::format("--tp {}: {} has {} KV heads, which chips share evenly only where "
                    "their number is a multiple of it",
                    ranks, program.model, model_.n_kv_heads));
  }
  if (program.numerics.smoothing > 0 && options_.calibration == nullptr) {
    throw InputError(fmt::format("numerics {}: smoothing needs a calibration text, found none",
                                 program.numerics.name));
  }
  for (int rank = 0; rank < ranks; ++rank) {
    ranks_.push_back(std::make_unique<Rank>(program, weights, options_, rank));
  }
}

Session::~Session() = default;

std::int64_t Session::context(std::size_t sequence) const {
  return sequence < contexts_.size() ? contexts_[sequence] : 0;
}

std::vector<float> Session::run(const BoundProgram& bound,
                                std::span<const std::vector<int>> new_tokens, LogitsOf logits_of) {
  check_step(bound, new_tokens);
  begin(bound, new_tokens, logits_of);
  std::int64_t layers = 0;
  for (const BoundBlock& block : bound.blocks) layers += block.repeat;
  Progress progress("layers run", layers);  // of a step that takes seconds: a long prompt
  for (std::size_t b = 0; b < bound.blocks.size(); ++b) {
    for (std::int64_t i = 0; i < bound.blocks[b].repeat; ++i, progress.advance()) {
      run_block(bound, b, i);
    }
  }
  for (std::size_t i = 0; i < contexts_.size(); ++i) {
    contexts_[i] += state_->step.sequences[i].new_tokens;
  }
  const Kernel& last = *bound.blocks.back().kernels.back().kernel;
  CHECK(is_choice(last), "a program ends in the choice of a token");
  return std::move(ranks_.front()->activation(last.inputs.front()));
}

void Session::check_step(const BoundProgram& bound,
                         std::span<const std::vector<int>> new_tokens) const {
  CHECK(bound.program == &program_, "a session runs the program it was made for");
  const std::vector<Sequence>& sequences = bound.step.sequences;
  CHECK(new_tokens.size() == sequences.size(), "a step has tokens for each of its sequences");
  CHECK(sequences.size() >= contexts_.size(), "a session's sequences all take part in a step");
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    CHECK(std::ssize(new_tokens[i]) == sequences[i].new_tokens, "a step says its new tokens");
    CHECK(context(i) == sequences[i].context, "a step follows on the steps before it");
    for (const int token : new_tokens[i]) {
      if (token < 0 || token >= model_.vocab_size) {
        throw InputError(fmt::format("token {}: expected 0 to {}", token, model_.vocab_size - 1));
      }
    }
  }
}

void Session::begin(const BoundProgram& bound, std::span<const std::vector<int>> new_tokens,
                    LogitsOf logits_of) {
  contexts_.resize(new_tokens.size());
  *state_ = {bound.step, logits_of, {}, {}};
  for (std::size_t i = 0; i < new_tokens.size(); ++i) {
    for (std::size_t t = 0; t < new_tokens[i].size(); ++t) {
      state_->tokens.push_back(new_tokens[i][t]);
      state_->rotations.emplace_back(contexts_[i] + static_cast<std::int64_t>(t), frequencies_);
    }
  }
  for (auto& rank : ranks_) rank->begin(bound, *state_);
}

void Session::run_block(const BoundProgram& bound, std::size_t b, std::int64_t repetition) {
  const Block& block = *bound.blocks[b].block;
  const std::int64_t layer = block.first_layer + repetition;
  for (std::size_t k = 0; k < block.kernels.size(); ++k) {
    check_interrupt();
    const Kernel& kernel = block.kernels[k];
    check_weights(kernel, layer);
    const bool is_collective = kernel.op == Op::all_reduce || kernel.op == Op::all_gather;
    if (kernel.op == Op::all_reduce) all_reduce(kernel);
    if (kernel.op == Op::all_gather) all_gather(kernel);
    if (is_choice(kernel)) {
      choose(kernel);
      continue;
    }
    for (std::size_t r = 0; r < ranks_.size(); ++r) {
      const KernelPlace place{static_cast<int>(r), b, k, repetition};
      if (is_collective) {
        const int output = kernel.outputs.front();
        ranks_[r]->check_finite(kernel, place, output, ranks_[r]->activation(output));
        continue;
      }
      if (options_.log != nullptr) options_.log->enter(place);
      ranks_[r]->execute(bound.blocks[b].kernels[k], place, layer);
    }
  }
  if (options_.after_layer && is_of_layers(program_, block)) {
    options_.after_layer(layer, ranks_.front()->activation(block.kernels.back().outputs.front()));
  }
}

/// A file is not read through when it is opened, which would take as long as a step.
void Session::check_weights(const Kernel& kernel, std::int64_t layer) {
  for (const int index : kernel.weights) {
    const WeightTensor* weight = weights_.find(name_in_layer(program_.tensor(index).name, layer));
    if (finite_.insert(weight).second) weights_.check_finite(*weight);
  }
}

void Session::all_reduce(const Kernel& kernel) {
  const int output = kernel.outputs.front();
  const Format format = program_.tensor(output).format;
  std::vector<float> sum = ranks_.front()->activation(kernel.inputs.front());
  for (std::size_t r = 1; r < ranks_.size(); ++r) {
    const std::vector<float>& part = ranks_[r]->activation(kernel.inputs.front());
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += part[i];
  }
  round_all(format, Overflow::infinite, sum);
  for (auto& rank : ranks_) {
    std::vector<float>& out = rank->activation(output);
    if (kernel.epilogue == Epilogue::add) {
      for (std::size_t i = 0; i < out.size(); ++i) out[i] += sum[i];
      round_all(format, Overflow::infinite, out);
    } else {
      out = sum;
    }
  }
}

void Session::all_gather(const Kernel& kernel) {
  const std::size_t width =
      static_cast<std::size_t>(program_.tensor(kernel.inputs.front()).columns);
  std::vector<float>& first = ranks_.front()->activation(kernel.outputs.front());
  for (std::size_t r = 0; r < ranks_.size(); ++r) {
    const std::vector<float>& piece = ranks_[r]->activation(kernel.inputs.front());
    for (std::size_t row = 0; row * width < piece.size(); ++row) {
      std::copy_n(piece.begin() + static_cast<std::ptrdiff_t>(row * width), width,
                  first.begin() + static_cast<std::ptrdiff_t>((row * ranks_.size() + r) * width));
    }
  }
  for (auto& rank : ranks_) rank->activation(kernel.outputs.front()) = first;
}

void Session::choose(const Kernel& argmax) {
  const std::vector<float>& logits = ranks_.front()->activation(argmax.inputs.front());
  const auto width = static_cast<std::size_t>(program_.tensor(argmax.inputs.front()).columns);
  const std::vector<std::size_t> last = state_->last_tokens();
  chosen_.clear();
  for (std::size_t s = 0; s < last.size(); ++s) {
    const std::size_t row = state_->logits_of == LogitsOf::all ? last[s] : s;
    const auto begin = logits.begin() + static_cast<std::ptrdiff_t>(row * width);
    const auto end = begin + static_cast<std::ptrdiff_t>(width);
    chosen_.push_back(static_cast<int>(std::max_element(begin, end) - begin));
  }
}

}  // namespace presil

// For tests: the scheduler once more, as plainly as it can be said, to hold the fast one against.
// Every block has a number and stands in one list, every request knows its blocks, nothing is
// counted ahead. One batch in flight, no speculation, no roles.
#pragma once

#include <algorithm>
#include <deque>
#include <list>
#include <map>
#include <vector>

#include "serving/engine/block_names.h"
#include "serving/engine/options.h"
#include "serving/engine/replica.h"

namespace presil::serving::testing {

/// Free blocks in the order in which they will be taken, and the text that blocks keep.
class PlainBlocks {
 public:
  explicit PlainBlocks(std::int64_t capacity)
      : holders_(static_cast<std::size_t>(capacity)), names_(static_cast<std::size_t>(capacity)) {
    for (int block = 0; block < capacity; ++block) queue_.push_back(block);
  }

  std::int64_t free() const { return static_cast<std::int64_t>(queue_.size()); }

  std::int64_t cached(const std::vector<std::uint64_t>& names) const {
    std::int64_t count = 0;
    while (count < std::ssize(names) && kept_.contains(names[count])) ++count;
    return count;
  }

  bool admit(std::vector<int>& held, const std::vector<std::uint64_t>& names, std::int64_t more) {
    std::int64_t wanted = more;
    for (const auto name : names) wanted += holders_[kept_.at(name).front()] == 0;
    if (wanted > free()) return false;
    for (const auto name : names) {
      const int block = kept_.at(name).front();
      if (holders_[block]++ == 0) queue_.remove(block);
      held.push_back(block);
    }
    return grow(held, more);
  }

  bool grow(std::vector<int>& held, std::int64_t more) {
    if (more > free()) return false;
    for (; more > 0; --more) {
      const int block = queue_.front();
      queue_.pop_front();
      forget(block);
      holders_[block] = 1;
      held.push_back(block);
    }
    return true;
  }

  void name(int block, std::uint64_t name) {
    names_[block] = {true, name};
    kept_[name].push_back(block);
  }

  void release(std::vector<int>& held) {
    for (; !held.empty(); held.pop_back()) {
      if (--holders_[held.back()] == 0) queue_.push_back(held.back());
    }
  }

 private:
  void forget(int block) {
    auto& [named, name] = names_[block];
    if (!named) return;
    named = false;
    auto& blocks = kept_.at(name);
    blocks.erase(std::find(blocks.begin(), blocks.end(), block));
    if (blocks.empty()) kept_.erase(name);
  }

  std::list<int> queue_;
  std::vector<int> holders_;
  std::vector<std::pair<bool, std::uint64_t>> names_;
  std::map<std::uint64_t, std::vector<int>> kept_;
};

class PlainEngine {
 public:
  PlainEngine(const EngineOptions& options, const StepCosts& costs)
      : options_(options), costs_(costs), blocks_(options.num_blocks) {}

  /// The steps of a whole run. Requires requests that fit, in order of arrival.
  std::vector<StepRecord> run(const std::vector<Request>& requests) {
    std::size_t next = 0;
    Nanoseconds now{0};
    while (true) {
      for (; next < requests.size() && requests[next].arrival <= now; ++next) {
        Sequence& sequence = sequences_.emplace_back();
        sequence.request = requests[next];
        if (options_.prefix_caching) {
          name_blocks(requests[next], options_.block_size, sequence.names);
        }
        waiting_.push_back(&sequence);
      }
      StepRecord step = schedule();
      if (scheduled_.empty()) {
        if (next == requests.size()) return steps_;
        now = requests[next].arrival;
        continue;
      }
      step.start = now;
      step.cost = costs_.cost(step.features);
      now += step.cost.time;
      step.end = now;
      steps_.push_back(step);
      end_step();
    }
  }

 private:
  struct Sequence {
    Request request;
    std::int64_t written = 0, computed = 0;
    std::int64_t goal = 0;  // tokens to read before it writes
    std::vector<int> blocks;
    std::vector<std::uint64_t> names;
    std::int64_t known() const { return request.prompt_tokens + written; }
  };

  std::int64_t blocks_for(std::int64_t tokens) const {
    return (tokens + options_.block_size - 1) / options_.block_size;
  }

  void put(StepRecord& step, Sequence& sequence, std::int64_t tokens) {
    if (sequence.computed < sequence.goal) {
      step.features.add_prefill(tokens, sequence.computed);
    } else {
      step.features.add_decode(tokens, sequence.computed);
    }
    const std::int64_t before = sequence.computed / options_.block_size;
    sequence.computed += tokens;
    const std::int64_t after = sequence.computed / options_.block_size;
    for (std::int64_t i = before; i < std::min(after, std::ssize(sequence.names)); ++i) {
      blocks_.name(sequence.blocks[i], sequence.names[i]);
    }
    budget_ -= tokens;
    scheduled_.push_back(&sequence);
  }

  StepRecord schedule() {
    StepRecord step;
    scheduled_.clear();
    budget_ = options_.max_num_batched_tokens;
    for (std::size_t i = 0; i < running_.size() && budget_ > 0; ++i) {
      Sequence& sequence = *running_[i];
      const std::int64_t tokens = std::min(sequence.known() - sequence.computed, budget_);
      const std::int64_t more =
          blocks_for(sequence.computed + tokens) - std::ssize(sequence.blocks);
      bool itself = false;
      while (!itself && !blocks_.grow(sequence.blocks, more)) {
        Sequence* last = running_.back();
        running_.pop_back();
        blocks_.release(last->blocks);
        last->computed = 0;
        waiting_.push_front(last);
        ++step.preempted;
        itself = last == &sequence;
      }
      if (itself) break;
      put(step, sequence, tokens);
    }
    while (step.preempted == 0 && !waiting_.empty() && budget_ > 0 &&
           std::ssize(running_) < options_.max_num_seqs) {
      Sequence& sequence = *waiting_.front();
      std::vector<std::uint64_t> names = sequence.names;
      names.resize(
          std::min<std::size_t>(names.size(), (sequence.known() - 1) / options_.block_size));
      names.resize(blocks_.cached(names));
      const std::int64_t hits = std::ssize(names);
      const std::int64_t computed = hits * options_.block_size;
      const std::int64_t tokens = std::min(sequence.known() - computed, budget_);
      if (!options_.chunked_prefill && computed + tokens < sequence.known()) break;
      if (!blocks_.admit(sequence.blocks, names, blocks_for(computed + tokens) - hits)) break;
      sequence.computed = computed;
      sequence.goal = sequence.known();
      waiting_.pop_front();
      running_.push_back(&sequence);
      put(step, sequence, tokens);
    }
    step.waiting = std::ssize(waiting_);
    step.running = std::ssize(running_);
    step.used_blocks = options_.num_blocks - blocks_.free();
    return step;
  }

  void end_step() {
    for (Sequence* sequence : scheduled_) {
      if (sequence->computed < sequence->known()) continue;
      if (++sequence->written < sequence->request.output_tokens) continue;
      blocks_.release(sequence->blocks);
      std::erase(running_, sequence);
    }
  }

  EngineOptions options_;
  const StepCosts& costs_;
  PlainBlocks blocks_;
  std::deque<Sequence> sequences_;
  std::deque<Sequence*> waiting_;
  std::vector<Sequence*> running_, scheduled_;
  std::vector<StepRecord> steps_;
  std::int64_t budget_ = 0;
};

}  // namespace presil::serving::testing

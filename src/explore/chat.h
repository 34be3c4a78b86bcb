// A conversation with a model on a chip. The session's KV cache stays over the turns: only what is
// new is run, and the model reads its own answers as the tokens that it wrote.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "explore/run.h"
#include "model/chat_template.h"
#include "model/tokenizer.h"

namespace presil {

struct ChatRequest {
  RunRequest run;      // max_tokens: of one answer
  std::string system;  // "": the template's own
};

struct Turn {
  /// Why an answer ended: the model said so, -n, the user, the model's context.
  enum class End { stop, limit, interrupted, context };

  std::string question;
  std::string answer;
  std::int64_t read_tokens = 0;  // new ones before the answer
  std::vector<int> tokens;       // of the answer, its stop token included
  End end = End::stop;
  std::int64_t decode_steps = 0;  // after the answer's first token
  double decode_s = 0;            // that they took on this machine
};

std::string_view to_string(Turn::End end);

/// The chip's speed in the decode steps of a conversation.
struct SimulatedRate {
  double tokens_per_s = 0;
  std::int64_t steps = 0;                  // that were simulated
  std::int64_t shortest = 0, longest = 0;  // tokens in the cache before them
};

class Chat {
 public:
  /// Throws InputError or MissingInput as run() does, and for a model without a chat template that
  /// is known. Infeasible when no program fits the chip.
  static Feasible<std::unique_ptr<Chat>> open(const ChatRequest& request, const Places& places);

  /// Puts a question. `on_text` gets the answer piece by piece; `stop` is asked after each token
  /// whether to end it. A question for which the context has no room gets no answer (End::context).
  Feasible<Turn> ask(const std::string& question,
                     const std::function<void(std::string_view)>& on_text,
                     const std::function<bool()>& stop);

  /// The chip's decode speed over all turns, from up to kTimedSteps of their steps, spread evenly;
  /// nothing when there were none.
  Feasible<std::optional<SimulatedRate>> simulate() const;
  static constexpr std::int64_t kTimedSteps = 8;

  const RunResult& run() const { return run_; }

 private:
  Chat(RunResult run, Weights weights, const ChatRequest& request, ChatTemplate chat,
       const Places& places);
  std::vector<int> tokens_for(const std::string& question);
  std::string continuation(const std::string& question) const;
  bool is_stop(int token) const;

  RunResult run_;
  Weights weights_;
  Tokenizer tokenizer_;
  ChatTemplate template_;
  Calibration calibration_;
  Session session_;
  Sampler sampler_;
  std::vector<std::int64_t> stop_tokens_;
  std::vector<ChatMessage> messages_;   // questions, and kAnswer for each answer
  std::vector<int> unread_;             // written, but not in the cache
  std::vector<std::int64_t> contexts_;  // of the decode steps
};

}  // namespace presil

#include "explore/chat.h"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>

#include "explore/calibrated.h"
#include "explore/prepare.h"

namespace presil {
namespace {

/// Stands for an answer in a rendered conversation: what comes after it is what is looked for.
constexpr std::string_view kAnswer = "\x01";

SessionOptions calibrated(const Calibration& calibration) {
  SessionOptions options;
  options.calibration = &calibration;
  return options;
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

std::string_view to_string(Turn::End end) {
  switch (end) {
    case Turn::End::stop:
      return "stop";
    case Turn::End::limit:
      return "limit";
    case Turn::End::interrupted:
      return "interrupted";
    case Turn::End::context:
      return "context";
  }
  return "";
}

Feasible<std::unique_ptr<Chat>> Chat::open(const ChatRequest& request, const Places& places) {
  check_sampling(request.run.sampling);
  RunRequest wanted = request.run;
  wanted.mode = Mode::both;
  std::optional<Weights> weights;
  auto prepared = prepare(wanted, places, weights);
  if (!prepared) return tl::unexpected(prepared.error());
  const auto chat = recognise_chat_template(weights->vocabulary());
  if (!chat) {
    throw InputError(
        fmt::format("{}: its chat template is of no form that is known here; presil run --prompt "
                    "continues any text",
                    prepared->model.name));
  }
  return std::unique_ptr<Chat>(
      new Chat(std::move(*prepared), std::move(*weights), request, *chat, places));
}

Chat::Chat(RunResult prepared, Weights weights, const ChatRequest& request, ChatTemplate chat,
           const Places& places)
    : run_(std::move(prepared)),
      weights_(std::move(weights)),
      tokenizer_(tokenizer_of(weights_)),
      template_(std::move(chat)),
      calibration_(calibration_for(run_.program, weights_, places.home)),
      session_(run_.program, weights_, calibrated(calibration_)),
      sampler_(run_.request.sampling),
      stop_tokens_(run_.model.eos_tokens) {
  if (!request.system.empty()) messages_.push_back({"system", request.system});
  // The template may end a turn with a token of its own.
  std::vector<ChatMessage> turn = {{"user", "?"}, {"assistant", std::string(kAnswer)}};
  const std::string text = apply_chat_template(template_, turn);
  const std::string after = text.substr(text.rfind(kAnswer) + kAnswer.size());
  const std::vector<int> end = tokenizer_.encode(after, true);
  const auto& types = tokenizer_.vocabulary().types;
  if (!end.empty() && types[static_cast<std::size_t>(end.front())] == TokenType::control) {
    stop_tokens_.push_back(end.front());
  }
}

bool Chat::is_stop(int token) const {
  return std::find(stop_tokens_.begin(), stop_tokens_.end(), token) != stop_tokens_.end();
}

/// From the end of the last answer to the beginning of the next: found by rendering all of it, so
/// that whatever the template does stays its own.
std::string Chat::continuation(const std::string& question) const {
  std::vector<ChatMessage> messages = messages_;
  messages.push_back({"user", question});
  std::erase(messages.back().content, kAnswer.front());  // a control character, not the mark
  const std::string all = apply_chat_template(template_, messages);
  const std::size_t answer = all.rfind(kAnswer);
  CHECK(answer != std::string::npos, "a template writes every message");
  return all.substr(answer + kAnswer.size());
}

std::vector<int> Chat::tokens_for(const std::string& question) {
  if (session_.context(0) == 0) {
    std::vector<ChatMessage> messages = messages_;
    messages.push_back({"user", question});
    return tokenizer_.encode_prompt(apply_chat_template(template_, messages), true);
  }
  std::vector<int> tokens = unread_;
  const std::vector<int> rest = tokenizer_.encode(continuation(question), true);
  tokens.insert(tokens.end(), rest.begin(), rest.end());
  return tokens;
}

Feasible<Turn> Chat::ask(const std::string& question,
                         const std::function<void(std::string_view)>& on_text,
                         const std::function<bool()>& stop) {
  Turn turn;
  turn.question = question;
  const std::vector<int> tokens = tokens_for(question);
  const std::int64_t context = session_.context(0);
  if (context + std::ssize(tokens) > run_.program.max_context) {
    turn.end = Turn::End::context;
    return turn;
  }
  turn.read_tokens = std::ssize(tokens);
  bool stopped = false;
  GenerateOptions options;
  options.max_tokens = run_.request.max_tokens;
  options.stop_tokens = stop_tokens_;
  options.sampler = &sampler_;
  options.stop = [&] { return stopped = stop(); };
  StreamDecoder decoder(tokenizer_);
  const auto say = [&](const std::string& piece) {
    turn.answer += piece;
    if (!piece.empty()) on_text(piece);
  };
  auto first_token = std::chrono::steady_clock::now();
  const auto emit = [&](const GeneratedToken& token) {
    if (turn.tokens.empty()) {
      first_token = std::chrono::steady_clock::now();
    } else {
      contexts_.push_back(session_.context(0) - 1);
    }
    turn.tokens.push_back(token.token);
    if (!is_stop(token.token)) say(decoder.next(token.token));
  };
  const auto generated = generate(run_.program, session_, tokens, options, emit);
  if (!generated) return tl::unexpected(generated.error());
  say(decoder.finish());

  turn.decode_s = seconds_since(first_token);
  turn.decode_steps = std::ssize(turn.tokens) - 1;
  const bool said_so = is_stop(turn.tokens.back());
  const bool full = session_.context(0) >= run_.program.max_context;
  turn.end = said_so   ? Turn::End::stop
             : stopped ? Turn::End::interrupted
             : full    ? Turn::End::context
                       : Turn::End::limit;
  unread_.clear();  // the template writes its own end of a turn
  if (!said_so) unread_.push_back(turn.tokens.back());
  messages_.push_back({"user", question});
  messages_.push_back({"assistant", std::string(kAnswer)});
  return turn;
}

Feasible<std::optional<SimulatedRate>> Chat::simulate() const {
  if (contexts_.empty()) return std::optional<SimulatedRate>();
  const std::int64_t count = std::min(kTimedSteps, std::ssize(contexts_));
  std::vector<Step> steps;
  for (std::int64_t i = 0; i < count; ++i) {
    // The middles of `count` equal parts.
    const std::int64_t at = (2 * i + 1) * std::ssize(contexts_) / (2 * count);
    steps.push_back({{{1, contexts_[static_cast<std::size_t>(at)]}}});
  }
  const auto phase = run_phase("decode", run_.program, steps, run_.chip, cycles_options(run_),
                               clocking(run_.request));
  if (!phase) return tl::unexpected(phase.error());
  const auto [shortest, longest] = std::minmax_element(contexts_.begin(), contexts_.end());
  return SimulatedRate{tokens_per_second(*phase), count, *shortest, *longest};
}

}  // namespace presil

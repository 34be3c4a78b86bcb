// chat: turns from stdin, answers as they come.
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

#include "app/output.h"
#include "base/interrupt.h"
#include "base/terminal.h"
#include "base/utf8.h"
#include "report/text_width.h"

namespace presil::app {
namespace {

constexpr std::size_t kLongestLine = std::size_t{1} << 20;

/// The next line of stdin without its end; nothing at its end and after Ctrl-C.
std::optional<std::string> read_line() {
  std::string line;
  char part[4096];
  while (std::fgets(part, sizeof part, stdin) != nullptr) {
    line += part;
    if (line.size() > kLongestLine) {
      throw InputError(fmt::format("stdin: expected lines of at most {} bytes", kLongestLine));
    }
    if (line.back() == '\n') break;
  }
  if (line.empty() || interrupted()) return std::nullopt;
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.pop_back();
  for (std::size_t at = 0; at < line.size();) {
    const Utf8Head head = utf8_head(std::string_view(line).substr(at));
    if (head.state != Utf8::whole) throw InputError("stdin: expected UTF-8");
    at += head.length;
  }
  return line;
}

/// As printable(), but lines stay lines.
std::string printable_lines(std::string_view text) {
  std::string lines;
  while (true) {
    const std::size_t end = text.find('\n');
    lines += printable(text.substr(0, end));
    if (end == std::string_view::npos) return lines;
    lines += '\n';
    text.remove_prefix(end + 1);
  }
}

struct Conversation {
  std::vector<Turn> turns;
  bool interrupted = false;
};

/// Ctrl-C ends an answer; where there is none, the conversation.
Feasible<Conversation> converse(Chat& chat, const Common& common) {
  const bool person = isatty(0) == 1;
  std::FILE* out = common.json ? stderr : stdout;
  const bool shown = !common.json || terminal_of(2).interactive;
  const auto show = [&](std::string_view text) {
    if (!shown) return;
    fmt::print(out, "{}", printable_lines(text));
    std::fflush(out);
  };
  Conversation all;
  while (true) {
    if (person) {
      fmt::print(stderr, "> ");
      std::fflush(stderr);
    }
    const auto line = read_line();
    if (!line || *line == "/exit") break;
    if (line->find_first_not_of(" \t") == std::string::npos) continue;
    const HoldInterrupts hold;  // a step is never cut in two: the cache stays whole
    auto turn = chat.ask(*line, show, interrupted);
    if (!turn) return tl::unexpected(turn.error());
    show("\n");
    if (turn->end == Turn::End::interrupted) take_interrupt();
    const bool full = turn->end == Turn::End::context;
    all.turns.push_back(std::move(*turn));
    if (full) {
      fmt::print(stderr, "the model's context of {} tokens is full: this conversation is over\n",
                 chat.run().program.max_context);
      break;
    }
  }
  all.interrupted = take_interrupt();  // what was said is still summed up
  return all;
}

struct HostRate {
  std::int64_t steps = 0;
  double seconds = 0;
  double tokens_per_s() const { return seconds > 0 ? static_cast<double>(steps) / seconds : 0; }
};

HostRate host_rate(const std::vector<Turn>& turns) {
  HostRate rate;
  for (const Turn& t : turns) {
    rate.steps += t.decode_steps;
    rate.seconds += t.decode_s;
  }
  return rate;
}

Json chat_json(const Chat& chat, const std::vector<Turn>& turns,
               const std::optional<SimulatedRate>& simulated) {
  const RunResult& r = chat.run();
  Json json = {{"schema", "presil/chat/1"},
               {"chip", r.chip.chip.name},
               {"model", r.model.name},
               {"numerics", {{"name", r.numerics.name}}},
               {"turns", Json::array()}};
  for (const Turn& t : turns) {
    json["turns"].push_back({{"prompt", t.question},
                             {"text", t.answer},
                             {"read_tokens", t.read_tokens},
                             {"token_ids", t.tokens},
                             {"ended_by", to_string(t.end)}});
  }
  json["decode_steps"] = host_rate(turns).steps;
  if (simulated) {
    json["simulated"] = {{"decode_tokens_per_s", simulated->tokens_per_s},
                         {"steps", simulated->steps},
                         {"shortest_context", simulated->shortest},
                         {"longest_context", simulated->longest}};
  }
  return json;
}

}  // namespace

int chat_verb(const Common& common, ChatRequest request) {
  request.run.overrides = common.set;
  request.run.sampling.seed = common.seed;
  const auto chat = Chat::open(request, common.places);
  if (!chat) return answer_no(common, request.run, chat.error());
  const auto conversation = converse(**chat, common);
  if (!conversation) return answer_no(common, request.run, conversation.error());
  const auto simulated = (*chat)->simulate();
  if (!simulated) return answer_no(common, request.run, simulated.error());
  const HostRate host = host_rate(conversation->turns);
  if (common.json) {
    Json json = chat_json(**chat, conversation->turns, *simulated);
    if (common.host) json["host"]["decode_tokens_per_s"] = host.tokens_per_s();
    print_json(common, std::move(json));
  } else if (*simulated) {
    fmt::print(
        "\nspeed    {:.1f} tokens/s on this machine ({} decode steps)\n"
        "         {:.1f} tokens/s on {} (cycles of {} of those steps, spread evenly over contexts "
        "of {} to {} tokens)\n",
        host.tokens_per_s(), host.steps, (*simulated)->tokens_per_s, (*chat)->run().chip.chip.name,
        (*simulated)->steps, (*simulated)->shortest, (*simulated)->longest);
  }
  return conversation->interrupted ? 130 : 0;
}

}  // namespace presil::app

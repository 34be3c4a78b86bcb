// How fast real tokens come: decode and prefill of a model in each arithmetic, and the memory that
// takes.
//
//   values_bench MODEL.gguf [--tokens N] [--prompt N] [NUMERICS]...
//
// One line a measurement, as JSON: {"numerics", "phase", "tokens", "tokens_per_s",
// "cpu_s_per_token", "peak_rss_over_file_bytes"}. Decoding starts after a prompt of 16 tokens. The
// peak is that of the process so far, so the leanest arithmetic comes first.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <sys/resource.h>

#include "base/error.h"
#include "explore/run.h"
#include "model/weights.h"
#include "program/bind.h"
#include "values/session.h"

namespace presil {
namespace {

struct Usage {
  double wall_s;
  double user_s;
};

Usage now() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto wall = std::chrono::steady_clock::now().time_since_epoch();
  return {std::chrono::duration<double>(wall).count(),
          static_cast<double>(usage.ru_utime.tv_sec) +
              1e-6 * static_cast<double>(usage.ru_utime.tv_usec)};
}

std::int64_t peak_rss() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss * 1024;
}

/// One step of `session` on `tokens`.
int step(const Program& program, Session& session, const std::vector<int>& tokens) {
  const auto bound = bind(program, Step{{Sequence{std::ssize(tokens), session.context(0)}}});
  CHECK(bound.has_value(), "the chip holds a step of this model");
  session.run(*bound, std::vector<std::vector<int>>{tokens});
  return session.chosen().front();
}

struct Measurement {
  std::string numerics;
  std::string phase;
  std::int64_t tokens;
};

void report(const Measurement& m, const Usage& begin, const Usage& end, std::int64_t file_size) {
  const auto tokens = static_cast<double>(m.tokens);
  fmt::print(
      "{{\"numerics\": \"{}\", \"phase\": \"{}\", \"tokens\": {}, \"tokens_per_s\": {:.2f}, "
      "\"cpu_s_per_token\": {:.5f}, \"peak_rss_over_file_bytes\": {}}}\n",
      m.numerics, m.phase, m.tokens, tokens / (end.wall_s - begin.wall_s),
      (end.user_s - begin.user_s) / tokens, peak_rss() - file_size);
  std::fflush(stdout);
}

void measure(const std::string& model, const std::string& numerics, std::int64_t decoded,
             std::int64_t prompt) {
  RunRequest request;
  request.chip = "artemis-hbm3e";
  request.model = model;
  request.numerics = numerics;
  const auto prepared = prepare(request, Places{PRESIL_SOURCE_DIR, "."});
  CHECK(prepared.has_value(), "the chip holds this model");
  const Program& program = prepared->program;
  const Weights weights = Weights::open_gguf(model);
  const std::int64_t file_size = weights.file_size().count();
  const auto some_tokens = [&](std::int64_t count) {
    std::vector<int> tokens;
    for (std::int64_t i = 0; i < count; ++i) {
      tokens.push_back(static_cast<int>((i * 7919 + 17) % prepared->model.vocab_size));
    }
    return tokens;
  };

  Session session(program, weights);
  int token = step(program, session, some_tokens(16));
  const Usage begin = now();
  for (std::int64_t i = 0; i < decoded; ++i) token = step(program, session, {token});
  report({numerics, "decode", decoded}, begin, now(), file_size);
  if (prompt == 0) return;

  Session fresh(program, weights);
  const std::vector<int> tokens = some_tokens(prompt);
  const Usage prefill = now();
  step(program, fresh, tokens);
  report({numerics, "prefill", prompt}, prefill, now(), file_size);
}

int main_of(std::vector<std::string> words) {
  std::int64_t decoded = 64;
  std::int64_t prompt = 512;
  std::vector<std::string> names;
  for (std::size_t i = 1; i < words.size(); ++i) {
    if (words[i] == "--tokens") {
      decoded = std::stoll(words.at(++i));
    } else if (words[i] == "--prompt") {
      prompt = std::stoll(words.at(++i));
    } else {
      names.push_back(words[i]);
    }
  }
  if (words.empty() || decoded < 1 || prompt < 0) {
    fmt::print(stderr, "values_bench MODEL.gguf [--tokens N] [--prompt N] [NUMERICS]...\n");
    return 2;
  }
  if (names.empty()) names = {"ggml", "bf16", "int8-mtia", "fp8-hopper"};
  for (const std::string& name : names) measure(words.front(), name, decoded, prompt);
  return 0;
}

}  // namespace
}  // namespace presil

int main(int argc, char** argv) {
  return presil::main_of({argv + 1, argv + argc});
}

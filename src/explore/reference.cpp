#include "explore/reference.h"

#include <cstdlib>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/error.h"

namespace presil {
namespace {

using nlohmann::json;

/// The folder of llama.cpp's libraries, which the launcher names.
std::filesystem::path libraries() {
  const char* folder = std::getenv("PRESIL_LLAMA_CPP");
  if (folder != nullptr && std::filesystem::exists(std::filesystem::path(folder))) return folder;
  throw MissingInput(
      "llama.cpp is not set up: ./presil verify values fetches it from npm, which needs the "
      "network "
      "once; or set PRESIL_LLAMA_CPP to the folder that holds its libllama and libggml libraries");
}

std::vector<std::string> llama_cpp_command(const Places& places,
                                           std::initializer_list<std::string> arguments) {
  std::vector<std::string> command = {
      "python3", (places.home / "test/reference/llama_cpp.py").string(), libraries().string()};
  command.insert(command.end(), arguments);
  return command;
}

/// Threads of llama.cpp's: its results do not depend on them, and on small files they only wait for
/// each other.
std::string threads_for(const std::filesystem::path& weights) {
  constexpr std::uintmax_t kSmall = std::uintmax_t{32} << 20;
  std::error_code unreadable;  // is for llama.cpp to say
  const auto size = std::filesystem::file_size(weights, unreadable);
  return !unreadable && size > kSmall ? "2" : "1";
}

std::vector<int> list(std::span<const int> tokens) {
  return {tokens.begin(), tokens.end()};
}

template <class T>
std::span<std::byte> bytes_of(std::vector<T>& values) {
  return std::as_writable_bytes(std::span<T>(values));
}

}  // namespace

std::vector<std::string> LlamaCpp::builds(const Places& places) {
  ChildProcess process(llama_cpp_command(places, {}));
  return json::parse(process.read_line()).at("builds").get<std::vector<std::string>>();
}

LlamaCpp::LlamaCpp(const Places& places, const std::filesystem::path& weights,
                   const std::string& build, std::int64_t context)
    : process_(
          llama_cpp_command(places, {weights.string(), "--build", build, "--context",
                                     std::to_string(context), "--threads", threads_for(weights)})),
      build_(build) {
  vocabulary_ = json::parse(process_.read_line()).at("vocabulary").get<std::size_t>();
}

std::vector<int> LlamaCpp::tokens_of(const std::string& text) {
  process_.write_line(json{{"text", text}}.dump());
  return json::parse(process_.read_line()).at("tokens").get<std::vector<int>>();
}

void LlamaCpp::start(std::span<const int> tokens, std::int64_t steps, std::span<const int> forced) {
  process_.write_line(
      json{{"tokens", list(tokens)}, {"steps", steps}, {"forced", list(forced)}}.dump());
}

ReferenceStep LlamaCpp::next() {
  std::vector<std::int32_t> chosen(1);
  ReferenceStep step;
  step.logits.resize(vocabulary_);
  process_.read(bytes_of(chosen));
  process_.read(bytes_of(step.logits));
  step.chosen = chosen.front();
  return step;
}

NumpyForward::NumpyForward(const Places& places, const std::filesystem::path& weights)
    : process_(
          {"bash", (places.home / "test/oracle/run.sh").string(), "forward.py", weights.string()}) {
  vocabulary_ = json::parse(process_.read_line()).at("vocabulary").get<std::size_t>();
}

std::vector<double> NumpyForward::logits(std::span<const int> tokens, std::int64_t steps) {
  process_.write_line(json{{"tokens", list(tokens)}, {"steps", steps}}.dump());
  std::vector<double> result(static_cast<std::size_t>(steps) * vocabulary_);
  process_.read(bytes_of(result));
  return result;
}

}  // namespace presil

// The command line: options in, a verb called, its answer's exit code out.
//
// Exit codes: 0 ok, 1 the answer is no, 2 bad input, 3 input missing, 4 limit reached, 5 our bug,
// 130 interrupted.
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <optional>
#include <system_error>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <tbb/global_control.h>
#include <CLI/CLI.hpp>

#include "app/command_line.h"
#include "app/failure.h"
#include "base/document.h"
#include "base/interrupt.h"
#include "base/utf8.h"
#include "base/version.h"

namespace presil::app {
namespace {

std::string environment(const char* name, std::string fallback) {
  const char* value = std::getenv(name);
  return value == nullptr || *value == '\0' ? fallback : std::string(value);
}

/// Settings are of a chip or a part; a verb that reads none would ignore them.
void refuse_ignored_settings(const Common& common, std::string_view verb) {
  constexpr std::string_view kReadChips[] = {"demo",       "run",     "sweep", "dram",
                                             "dram-check", "compile", "show",  "cost",
                                             "numerics",   "chat",    "serve"};
  const bool reads =
      std::find(std::begin(kReadChips), std::end(kReadChips), verb) != std::end(kReadChips);
  if (!reads && !common.set.empty()) {
    throw InputError(fmt::format("--set {}: {} takes no settings", common.set.front(), verb));
  }
}

/// What CLI11 says, or for a verb that there is not, its nearest.
std::string complaint(const CLI::App& app, const CLI::ParseError& e) {
  const std::vector<std::string> rest = app.remaining();
  if (!app.get_subcommands().empty() || rest.empty()) return e.what();
  std::vector<std::string> verbs;
  for (const CLI::App* v : app.get_subcommands([](const CLI::App*) { return true; })) {
    verbs.push_back(v->get_name());
  }
  const std::string near = nearest(rest.front(), verbs);
  return fmt::format("'{}' is not a verb; expected one of {}{}", rest.front(),
                     fmt::join(verbs, ", "),
                     near.empty() ? "" : fmt::format("; did you mean '{}'?", near));
}

/// Arguments end up in JSON, which is UTF-8.
void check_text(const std::vector<std::string_view>& arguments) {
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    for (std::size_t at = 0; at < arguments[i].size();) {
      const Utf8Head head = utf8_head(arguments[i].substr(at));
      if (head.state != Utf8::whole) {
        throw InputError(
            fmt::format("argument {}: expected UTF-8, found byte 0x{:02x} as its number {}", i + 1,
                        static_cast<unsigned char>(arguments[i][at]), at + 1));
      }
      at += head.length;
    }
  }
}

int parse_and_call(int argc, char** argv) {
  Options o;
  o.common.places.home = environment("PRESIL_HOME", ".");
  o.common.places.cache = environment("PRESIL_MODEL_CACHE", ".");
  o.common.charts = o.common.places.home / "build/report/echarts.min.js";

  CLI::App app("presil: run Llama on chips that do not exist yet", "presil");
  app.footer(
      "The launcher adds two verbs of its own: doctor (what is present, missing or wrong) and "
      "test.\n"
      "Exit codes: 0 ok, 1 the answer is no, 2 bad input, 3 input missing, 4 limit reached, 5 a "
      "bug,\n"
      "130 interrupted.");
  app.set_version_flag("--version", std::string(kVersion));
  app.require_subcommand(1);
  add_common(app, o);
  std::function<int()> call;
  add_verbs(app, o, call);
  for (CLI::App* v : app.get_subcommands([](const CLI::App*) { return true; })) {
    check_whole_numbers(*v);
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() == 0) return app.exit(e);  // --help, --version
    throw InputError(fmt::format("{}; see presil --help", complaint(app, e)));
  }
  refuse_ignored_settings(o.common, app.get_subcommands().front()->get_name());
  o.common.host = !o.no_host;
  std::optional<tbb::global_control> limit;
  if (o.threads > 0) {
    limit.emplace(tbb::global_control::max_allowed_parallelism,
                  static_cast<std::size_t>(o.threads));
  }
  return call();
}

}  // namespace
}  // namespace presil::app

int main(int argc, char** argv) {
  using namespace presil::app;
  presil::catch_interrupts();
  const std::vector<std::string_view> arguments(argv + 1, argv + argc);
  const bool json = std::find(arguments.begin(), arguments.end(), "--json") != arguments.end();
  try {
    check_text(arguments);
    const int exit_code = parse_and_call(argc, argv);
    if (std::fflush(stdout) != 0) throw std::system_error(errno, std::generic_category(), "stdout");
    return exit_code;
  } catch (...) {
    return explain_failure(json);
  }
}

// The command line: options in, a verb called, its answer's exit code out. CLI11 is included here
// and nowhere else.
//
// Exit codes: 0 ok, 1 the answer is no, 2 bad input, 3 input missing, 4 limit reached, 5 our bug,
// 130 interrupted.
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <optional>

#include <fmt/format.h>
#include <tbb/global_control.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "app/verbs.h"
#include "base/interrupt.h"
#include "base/version.h"

namespace presil::app {
namespace {

std::string environment(const char* name, std::string fallback) {
  const char* value = std::getenv(name);
  return value == nullptr || *value == '\0' ? fallback : std::string(value);
}

struct Options {
  Common common;
  bool no_host = false;
  int threads = 0;
  RunRequest request;
  std::string emit = "text";
  std::string name;
  std::vector<std::string> names;
  std::int64_t volume = 0;
  std::int64_t pipeline_parallel = 1, expert_parallel = 1;
  std::string software;
  std::string output = "out/report.html";
};

/// Taken before or after the verb.
void add_common(CLI::App& app, Options& o) {
  app.add_flag("--json", o.common.json, "One JSON object on stdout");
  app.add_option("--set", o.common.set, "A field of the chip or of what it names, as key=value")
      ->take_all()
      ->allow_extra_args(false);
  app.add_option("--store", o.common.store, "SQLite file that keeps results")
      ->capture_default_str();
  app.add_option("--seed", o.common.seed, "Seed of everything random")->capture_default_str();
  app.add_flag("--no-host", o.no_host, "Leave out what depends on this machine");
  app.add_option("-j,--threads", o.threads, "Threads (0: one a core)")->check(CLI::Range(0, 1024));
}

void add_design(CLI::App& verb, Options& o) {
  RunRequest& r = o.request;
  verb.add_option("CHIP", r.chip, "A chip file, or the name or alias of a shipped one")->required();
  verb.add_option("MODEL", r.model, "A shipped model, a config.json or a GGUF file")->required();
  verb.add_option("--tp", r.tensor_parallel, "Chips in tensor parallel")->capture_default_str();
  verb.add_option("--pp", o.pipeline_parallel, "Chips in pipeline parallel");
  verb.add_option("--ep", o.expert_parallel, "Chips in expert parallel");
  verb.add_option("--weights", r.weights, "A GGUF file: its formats and its values");
  verb.add_option("--dtype", r.dtype,
                  "Format of the weights, without a file (default: the model's)");
  verb.add_option("--numerics", r.numerics, "Arithmetic: bf16, fp32 or ggml");
}

void add_step(CLI::App& verb, Options& o) {
  static const std::map<std::string, PhaseChoice> phases = {{"prefill", PhaseChoice::prefill},
                                                            {"decode", PhaseChoice::decode},
                                                            {"both", PhaseChoice::both}};
  static const std::map<std::string, LaunchMode> launches = {
      {"eager", LaunchMode::eager}, {"stream", LaunchMode::stream}, {"graph", LaunchMode::graph}};
  RunRequest& r = o.request;
  verb.add_option("--phase", r.phase, "prefill, decode or both")
      ->transform(CLI::CheckedTransformer(phases))
      ->option_text("PHASE (both)");
  verb.add_option("--batch", r.batch, "Sequences in a step")->capture_default_str();
  verb.add_option("--prompt-tokens", r.prompt_tokens, "New tokens of each sequence in a prefill")
      ->capture_default_str();
  verb.add_option("--context", r.context, "Cached tokens of each sequence before a decode step")
      ->capture_default_str();
  verb.add_option("--launch", r.launch, "How kernels are launched: eager, stream or graph")
      ->transform(CLI::CheckedTransformer(launches))
      ->option_text("HOW (graph)");
  verb.add_option("--software", o.software, "Serving engine to stand for");
}

/// What the contract names and this version cannot do yet is refused, not ignored.
void refuse_not_yet(const Options& o) {
  if (o.pipeline_parallel != 1) throw InputError("--pp: pipeline parallelism is not there yet");
  if (o.expert_parallel != 1) throw InputError("--ep: expert parallelism is not there yet");
  if (!o.software.empty()) throw InputError("--software: serving engines are not there yet");
}

int parse_and_call(int argc, char** argv) {
  static const std::map<std::string, Mode> modes = {
      {"values", Mode::values}, {"cycles", Mode::cycles}, {"both", Mode::both}};
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
  const auto verb = [&](const char* name, const char* doc, std::function<int()> action) {
    CLI::App* v = app.add_subcommand(name, doc);
    v->fallthrough()->footer("Options of every verb (--json, --set, ...): presil --help");
    v->callback([&call, action = std::move(action)] { call = action; });
    return v;
  };

  verb("demo", "Real text on a chip that does not exist, and Llama 3 beside it",
       [&] { return demo_verb(o.common); });

  CLI::App* run = verb("run", "A model on a chip: values, cycles, joules, dollars", [&] {
    refuse_not_yet(o);
    return run_verb(o.common, o.request);
  });
  add_design(*run, o);
  add_step(*run, o);
  auto* mode =
      run->add_option("--mode", o.request.mode, "values, cycles or both (with a prompt: both)")
          ->transform(CLI::CheckedTransformer(modes))
          ->option_text("MODE (cycles)");
  std::string prompt;
  auto* prompt_option = run->add_option("--prompt", prompt, "Text to continue; needs real weights");
  run->add_option("-n", o.request.max_tokens, "Tokens to generate")->capture_default_str();
  run->parse_complete_callback([&, mode, prompt_option] {
    if (prompt_option->count() == 0) return;
    o.request.prompt = prompt;
    if (mode->count() == 0) o.request.mode = Mode::both;
  });

  CLI::App* sweep =
      verb("sweep", "A grid of design points: --set key=a,b,c, as many as you like", [&] {
        refuse_not_yet(o);
        return sweep_verb(o.common, o.request);
      });
  add_design(*sweep, o);
  add_step(*sweep, o);

  CLI::App* compile = verb("compile", "The program of a model on a chip", [&] {
    refuse_not_yet(o);
    return compile_verb(o.common, o.request, o.emit);
  });
  add_design(*compile, o);
  compile->add_option("--emit", o.emit, "text, json or stats")
      ->check(CLI::IsMember({"text", "json", "stats"}));

  verb("show", "A chip's derived figures and sources, or a model's shape",
       [&] { return show_verb(o.common, o.name); })
      ->add_option("NAME", o.name, "A chip or a model")
      ->required();

  CLI::App* cost =
      verb("cost", "The bill of a chip", [&] { return cost_verb(o.common, o.name, o.volume); });
  cost->add_option("CHIP", o.name, "A chip file or name")->required();
  cost->add_option("--volume", o.volume, "Chips that pay for design and masks (0: left out)")
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{1'000'000'000}));

  verb("check", "Checks input files", [&] { return check_verb(o.common, o.names); })
      ->add_option("FILE", o.names, "chip, memory, node, package or config.json files")
      ->required();
  verb("schema", "The JSON Schema of a kind of file", [&] { return schema_verb(o.common, o.name); })
      ->add_option("KIND", o.name, "chip, memory, node or package")
      ->required();
  verb("ls", "What is shipped, and the runs in the store", [&] { return ls_verb(o.common); });

  CLI::App* report = verb("report", "A page of stored runs (default: the newest)",
                          [&] { return report_verb(o.common, o.names, o.output); });
  report->add_option("RUN", o.names, "Ids of runs");
  report->add_option("-o,--output", o.output, "The page to write")->capture_default_str();

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }
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
  using namespace presil;
  catch_interrupts();
  try {
    return app::parse_and_call(argc, argv);
  } catch (const InputError& e) {
    fmt::print(stderr, "{}", e.what());
    const std::size_t n = e.diagnostics().size();
    if (n > 1) fmt::print(stderr, "{} errors\n", n);
    return 2;
  } catch (const MissingInput& e) {
    fmt::print(stderr, "error: {}\n", e.what());
    return 3;
  } catch (const LimitReached& e) {
    fmt::print(stderr, "error: {}\n", e.what());
    return 4;
  } catch (const Interrupted&) {
    fmt::print(stderr, "interrupted\n");
    return 130;
  } catch (const std::exception& e) {
    fmt::print(stderr,
               "internal error: {}\nThis is a bug of presil's. Please report the command "
               "and this message.\n",
               e.what());
    return 5;
  }
}

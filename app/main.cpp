// The command line: options in, a verb called, its answer's exit code out. CLI11 is included here
// and nowhere else.
//
// Exit codes: 0 ok, 1 the answer is no, 2 bad input, 3 input missing, 4 limit reached, 5 our bug,
// 130 interrupted.
#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <optional>
#include <system_error>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <tbb/global_control.h>
#include <CLI/CLI.hpp>

#include "app/dram_options.h"
#include "app/failure.h"
#include "app/verbs.h"
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

struct Options {
  Common common;
  bool no_host = false;
  int threads = 0;
  RunRequest request;
  DramRequest dram;
  NumericsTableRequest numerics;
  ChatRequest chat;
  VerifyRequest verify;
  std::string emit = "text";
  std::string name, log, rate;
  std::vector<std::string> names;
  std::int64_t volume = 0;
  std::int64_t pipeline_parallel = 1, expert_parallel = 1;
  std::string software;
  std::string output = "out/report.html";
};

template <class T>
bool is_whole_number(const std::string& text) {
  T number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  return error == std::errc() && stop == end;
}

/// CLI11 takes -1 and 2^64 for numbers without a sign.
std::string seed_error(const std::string& text) {
  if (is_whole_number<std::uint64_t>(text)) return "";
  return fmt::format("expected a whole number from 0 to 2^64 - 1, found {}", text);
}

/// CLI11 takes what is beyond 64 bits for the largest number.
void check_whole_numbers(CLI::App& verb) {
  const auto is_number = [](const CLI::Option* o) { return o->get_type_name().starts_with("INT"); };
  for (CLI::Option* option : verb.get_options(is_number)) {
    option->check(CLI::Validator(
        [](const std::string& text) {
          if (is_whole_number<std::int64_t>(text)) return std::string();
          return fmt::format("expected a whole number below 2^63, found {}", text);
        },
        "", ""));
  }
}

/// An option whose value is one of the names in `choices`.
template <class E>
CLI::Option* add_choice(CLI::App& verb, const std::string& name, E& target,
                        const std::map<std::string, E>& choices, const std::string& doc) {
  return verb
      .add_option_function<std::string>(
          name, [&](const std::string& value) { target = choices.at(value); }, doc)
      ->check(CLI::IsMember(&choices));
}

/// Taken before or after the verb.
void add_common(CLI::App& app, Options& o) {
  app.add_flag("--json", o.common.json, "One JSON object on stdout");
  app.add_option("--set", o.common.set,
                 "A field of the chip, the memory or what they name, as key=value")
      ->take_all()
      ->allow_extra_args(false);
  app.add_option("--store", o.common.store, "SQLite file that keeps results")
      ->capture_default_str();
  app.add_option("--seed", o.common.seed, "Seed of everything random")
      ->check(CLI::Validator(seed_error, "", ""))
      ->capture_default_str();
  app.add_flag("--no-host", o.no_host, "Leave out what depends on this machine");
  app.add_option("-j,--threads", o.threads, "Threads (0: one a core)")->check(CLI::Range(0, 1024));
}

void add_design(CLI::App& verb, Options& o) {
  RunRequest& r = o.request;
  verb.add_option("CHIP", r.chip, "A chip file, or the name or alias of a shipped one")->required();
  verb.add_option("MODEL", r.model,
                  "A shipped model, a config.json, a GGUF file or a checkpoint's folder")
      ->required();
  verb.add_option("--tp", r.tensor_parallel, "Chips in tensor parallel")->capture_default_str();
  verb.add_option("--pp", o.pipeline_parallel, "Chips in pipeline parallel");
  verb.add_option("--ep", o.expert_parallel, "Chips in expert parallel");
  verb.add_option("--weights", r.weights, "A GGUF file or a safetensors checkpoint");
  verb.add_option("--dtype", r.dtype,
                  "Format that weights are stored in, without a file (default: the numerics')");
  verb.add_option("--numerics", r.numerics,
                  "Arithmetic: a file, or the name of one in numerics/ (default: the chip's)");
}

void add_step(CLI::App& verb, Options& o) {
  static const std::map<std::string, PhaseChoice> phases = {{"prefill", PhaseChoice::prefill},
                                                            {"decode", PhaseChoice::decode},
                                                            {"both", PhaseChoice::both}};
  static const std::map<std::string, LaunchMode> launches = {
      {"eager", LaunchMode::eager}, {"stream", LaunchMode::stream}, {"graph", LaunchMode::graph}};
  RunRequest& r = o.request;
  add_choice(verb, "--phase", r.phase, phases, "prefill, decode or both")
      ->option_text("PHASE (both)");
  verb.add_option("--batch", r.batch, "Sequences in a step")->capture_default_str();
  verb.add_option("--prompt-tokens", r.prompt_tokens, "New tokens of each sequence in a prefill")
      ->capture_default_str();
  verb.add_option("--context", r.context, "Cached tokens of each sequence before a decode step")
      ->capture_default_str();
  add_choice(verb, "--launch", r.launch, launches,
             "How kernels are launched: eager, stream or graph")
      ->option_text("HOW (graph)");
  verb.add_option("--software", o.software, "Serving engine to stand for");
}

/// How the next token is chosen. The defaults are greedy.
void add_sampling(CLI::App& verb, SamplingOptions& s) {
  verb.add_option("--temperature", s.temperature, "Of the choice of tokens; 0: the most probable")
      ->capture_default_str();
  verb.add_option("--top-k", s.top_k, "Choose among the k most probable tokens (0: all)");
  verb.add_option("--top-p", s.top_p, "Among the fewest whose probabilities reach p (1: all)");
  verb.add_option("--min-p", s.min_p, "Among those with p times the largest probability (0: all)");
  verb.add_option("--repetition-penalty", s.repetition_penalty,
                  "Makes tokens of the context less probable (1: does not)");
}

void add_compare(CLI::App& verb, CompareRequest& c) {
  verb.add_option("--compare", c.with, "Numerics to compare the values with, such as fp32");
  verb.add_option("--text", c.text, "A text file to compare on (default: what was generated)");
  verb.add_option("--tokens", c.tokens, "Of the text, at most (0: what the model's context holds)");
  verb.add_flag("--layers", c.layers, "Also the error of the residual stream after each layer");
}

void add_dram(CLI::App& verb, DramRequest& r) {
  static const std::map<std::string, dram::Engine> engines = {
      {"reference", dram::Engine::reference},
      {"event", dram::Engine::event},
      {"fast", dram::Engine::fast}};
  const auto read = [&](const std::string& option, const std::string& doc, auto take) {
    return verb.add_option_function<std::string>(option, take, doc);
  };
  verb.add_option("PART", r.part, "A shipped memory part or a file (default: that of --config)");
  verb.add_option("--config", r.config, "A dram/1 file: controller, mapping, part");
  verb.add_option("--pattern", r.pattern,
                  "sequential, random, stride:BYTES, blocks:BYTES or trace:FILE")
      ->capture_default_str();
  verb.add_option("--writes", r.writes, "Share of the blocks that are written, as 0.25 or 1/3")
      ->capture_default_str();
  read("--atoms", "Bursts to send, as 2000000, 2e6 or 2M",
       [&](const std::string& count) { r.atoms = parse_count("--atoms", count); });
  read("--channels", "Channels (default: those of one stack or package)",
       [&](const std::string& count) { r.channels = parse_count("--channels", count); });
  read("--load", "Offered share of the peak (default: as fast as requests are taken)",
       [&](const std::string& share) { r.load = parse_share("--load", share); });
  add_choice(verb, "--engine", r.engine, engines, "reference, event or fast")
      ->option_text("ENGINE (fast)");
  read("--no-shortcut", "A proven shortcut not to take: period or equal-channels",
       [&](const std::string& name) {
         (name == "period" ? r.use_period : r.use_equal_channels) = false;
       })
      ->check(CLI::IsMember({"period", "equal-channels"}))
      ->trigger_on_parse();
  verb.add_option("--command-log", r.command_log, "Write every command to this file");
  verb.add_flag("--curve", r.curve, "Latency over offered load");
  read("--sensitivity", "Vary each estimated timing by this share, such as 20%",
       [&](const std::string& share) { r.sensitivity = parse_share("--sensitivity", share); });
}

void add_verify(CLI::App& verb, VerifyRequest& r) {
  static const std::map<std::string, Reference> references = {{"llama.cpp", Reference::llama_cpp},
                                                              {"numpy", Reference::numpy}};
  verb.add_option("WHAT", "What is verified: values")->required()->check(CLI::IsMember({"values"}));
  add_choice(verb, "--reference", r.reference, references, "llama.cpp or numpy")
      ->option_text("WHO (llama.cpp)");
  verb.add_option("--weights", r.weights,
                  "GGUF files (default: SmolLM2 as shipped, and its copy in F32)")
      ->take_all()
      ->allow_extra_args(false);
  verb.add_option("--prompts", r.prompts, "JSON: {\"prompts\": [{\"name\", \"text\"}]}");
  verb.add_option("--tokens", r.tokens, "Steps of each prompt")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{4096}))
      ->capture_default_str();
  verb.add_option("--chip", r.chip, "Whose program is run")->capture_default_str();
}

/// Settings are of a chip or a part; a verb that reads none would ignore them.
void refuse_ignored_settings(const Common& common, std::string_view verb) {
  constexpr std::string_view kReadChips[] = {"demo",    "run",  "sweep", "dram",     "dram-check",
                                             "compile", "show", "cost",  "numerics", "chat"};
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
  CLI::Option* mode = add_choice(*run, "--mode", o.request.mode, modes,
                                 "values, cycles or both (with a prompt: both)");
  mode->option_text("MODE (cycles)");
  std::string prompt;
  auto* prompt_option = run->add_option("--prompt", prompt, "Text to continue; needs real weights");
  run->add_option("-n", o.request.max_tokens, "Tokens to generate")->capture_default_str();
  add_sampling(*run, o.request.sampling);
  add_compare(*run, o.request.compare);
  run->parse_complete_callback([&, mode, prompt_option] {
    if (prompt_option->count() == 0) return;
    o.request.prompt = prompt;
    if (mode->count() == 0) o.request.mode = Mode::both;
  });

  CLI::App* numerics =
      verb("numerics", "All named arithmetics for one model and text: quality and speed", [&] {
        refuse_not_yet(o);
        o.numerics.run = o.request;
        return numerics_verb(o.common, o.numerics);
      });
  add_design(*numerics, o);
  add_step(*numerics, o);
  numerics->add_option("--text", o.numerics.text, "A text file to read (default: a shipped one)");
  numerics->add_option("--tokens", o.numerics.tokens, "Of the text, at most")
      ->check(CLI::Range(std::int64_t{2}, std::int64_t{1} << 30))
      ->capture_default_str();

  o.chat.run.max_tokens = 256;
  CLI::App* chat =
      verb("chat", "A conversation, and its tokens a second on this machine and on the chip", [&] {
        refuse_not_yet(o);
        const auto answer_tokens = o.chat.run.max_tokens;
        const SamplingOptions sampling = o.chat.run.sampling;
        o.chat.run = o.request;
        o.chat.run.max_tokens = answer_tokens;
        o.chat.run.sampling = sampling;
        return chat_verb(o.common, o.chat);
      });
  add_design(*chat, o);
  add_sampling(*chat, o.chat.run.sampling);
  chat->add_option("-n", o.chat.run.max_tokens, "Tokens of an answer, at most")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1} << 30))
      ->capture_default_str();
  chat->add_option("--system", o.chat.system, "The system message (default: the template's)");

  CLI::App* sweep =
      verb("sweep", "A grid of design points: --set key=a,b,c, as many as you like", [&] {
        refuse_not_yet(o);
        return sweep_verb(o.common, o.request);
      });
  add_design(*sweep, o);
  add_step(*sweep, o);

  add_dram(*verb("dram", "A memory by itself: a pattern or a trace, command by command",
                 [&] { return dram_verb(o.common, o.dram); }),
           o.dram);

  CLI::App* compile = verb("compile", "The program of a model on a chip", [&] {
    refuse_not_yet(o);
    return compile_verb(o.common, o.request, o.emit);
  });
  add_design(*compile, o);
  compile->add_option("--emit", o.emit, "text, json or stats")
      ->check(CLI::IsMember({"text", "json", "stats"}));

  verb("show", "A chip's derived figures and sources, a model's shape, or numerics",
       [&] { return show_verb(o.common, o.name); })
      ->add_option("NAME", o.name, "A chip, a model, or a set of numerics")
      ->required();

  CLI::App* cost =
      verb("cost", "The bill of a chip", [&] { return cost_verb(o.common, o.name, o.volume); });
  cost->add_option("CHIP", o.name, "A chip file or name")->required();
  cost->add_option("--volume", o.volume, "Chips that pay for design and masks (0: left out)")
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{1'000'000'000}));

  CLI::App* dram_check =
      verb("dram-check", "Whether a log of DRAM commands keeps every rule of a part",
           [&] { return dram_check_verb(o.common, o.log, o.name, o.rate); });
  dram_check->add_option("LOG", o.log, "A command log (docs/dram_check.md)")->required();
  dram_check->add_option("PART", o.name, "A memory file, or the name of a shipped part")
      ->required();
  dram_check->add_option("--rate", o.rate, "Of a pin, such as \"5.2 Gb/s\" (default: the log's)");

  add_verify(*verb("verify", "Whether values are right, by an independent reference",
                   [&] { return verify_values_verb(o.common, o.verify); }),
             o.verify);

  verb("check", "Checks input files", [&] { return check_verb(o.common, o.names); })
      ->add_option("FILE", o.names,
                   "chip, memory, dram, node, package, numerics or config.json files")
      ->required();
  verb("schema", "The JSON Schema of a kind of file", [&] { return schema_verb(o.common, o.name); })
      ->add_option("KIND", o.name, "chip, memory, dram, node, package or numerics")
      ->required();
  verb("ls", "What is shipped, and the runs in the store", [&] { return ls_verb(o.common); });

  CLI::App* report = verb("report", "A page of stored runs (default: the newest)",
                          [&] { return report_verb(o.common, o.names, o.output); });
  report->add_option("RUN", o.names, "Ids of runs");
  report->add_option("-o,--output", o.output, "The page to write")->capture_default_str();

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

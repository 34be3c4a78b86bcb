#include "app/command_line.h"

#include <CLI/CLI.hpp>

namespace presil::app {
namespace {

/// Adds a verb: its name, what it is for, and what it does once options are parsed.
using AddVerb = std::function<CLI::App*(const char*, const char*, std::function<int()>)>;

void add_run(const AddVerb& verb, Options& o) {
  CLI::App* run = verb("run", "A model on a chip: values, cycles, joules, dollars",
                       [&] { return run_verb(o.common, o.request); });
  add_design(*run, o);
  add_step(*run, o);
  add_values(*run, o);
}

void add_numerics(const AddVerb& verb, Options& o) {
  CLI::App* numerics =
      verb("numerics", "All named arithmetics for one model and text: quality and speed", [&] {
        o.numerics.run = o.request;
        return numerics_verb(o.common, o.numerics);
      });
  add_design(*numerics, o);
  add_step(*numerics, o);
  numerics->add_option("--text", o.numerics.text, "A text file to read (default: a shipped one)");
  numerics->add_option("--tokens", o.numerics.tokens, "Of the text, at most")
      ->check(CLI::Range(std::int64_t{2}, std::int64_t{1} << 30))
      ->capture_default_str();
}

void add_chat(const AddVerb& verb, Options& o) {
  o.chat.run.max_tokens = 256;
  CLI::App* chat =
      verb("chat", "A conversation, and its tokens a second on this machine and on the chip", [&] {
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
}

void add_sweep(const AddVerb& verb, Options& o) {
  CLI::App* sweep = verb("sweep", "A grid of design points: --set key=a,b,c, as many as you like",
                         [&] { return sweep_verb(o.common, o.request); });
  add_design(*sweep, o);
  add_step(*sweep, o);
}

void add_serve(const AddVerb& verb, Options& o) {
  CLI::App* serve =
      verb("serve", "A scenario: a service under load, a device, a fleet, and what they cost",
           [&] { return serve_verb(o.common, o.serve); });
  serve->add_option("SCENARIO", o.serve.scenario, "A scenario file, or the name of a shipped one")
      ->required();
  serve->add_option("--find-max-rate", o.serve.find_max_rate,
                    "The highest rate that keeps a promise, as \"p99_ttft<=2s,p99_tpot<=50ms\"");
}

void add_compile(const AddVerb& verb, Options& o) {
  CLI::App* compile = verb("compile", "The program of a model on a chip",
                           [&] { return compile_verb(o.common, o.request, o.emit); });
  add_design(*compile, o);
  compile->add_option("--emit", o.emit, "text, mapping, json or stats")
      ->check(CLI::IsMember({"text", "mapping", "json", "stats"}));
}

void add_cost_verb(const AddVerb& verb, Options& o) {
  add_cost(*verb("cost", "The bill of a chip", [&] { return cost_verb(o.common, o.cost); }),
           o.cost);
}

void add_dram_check(const AddVerb& verb, Options& o) {
  CLI::App* dram_check =
      verb("dram-check", "Whether a log of DRAM commands keeps every rule of a part",
           [&] { return dram_check_verb(o.common, o.log, o.name, o.rate); });
  dram_check->add_option("LOG", o.log, "A command log (docs/dram_check.md)")->required();
  dram_check->add_option("PART", o.name, "A memory file, or the name of a shipped part")
      ->required();
  dram_check->add_option("--rate", o.rate, "Of a pin, such as \"5.2 Gb/s\" (default: the log's)");
}

void add_verify_verb(const AddVerb& verb, Options& o) {
  CLI::App* verify = verb(
      "verify", "Whether values are right, by a reference; and times, by measured silicon", [&] {
        return o.verified == "silicon" ? verify_silicon_verb(o.common, o.silicon)
                                       : verify_values_verb(o.common, o.verify);
      });
  verify->add_option("WHAT", o.verified, "What is verified: values or silicon")
      ->required()
      ->check(CLI::IsMember({"values", "silicon"}));
  add_verify(*verify, o.verify);
  add_silicon(*verify, o.silicon);
}

/// The verbs about what is shipped and what was kept.
void add_files(const AddVerb& verb, Options& o) {
  verb("check", "Checks input files", [&] { return check_verb(o.common, o.names); })
      ->add_option(
          "FILE", o.names,
          "chip, memory, dram, node, package, network, mapping, numerics or config.json files")
      ->required();
  verb("schema", "The JSON Schema of a kind of file", [&] { return schema_verb(o.common, o.name); })
      ->add_option("KIND", o.name,
                   "chip, memory, dram, node, package, network, mapping or numerics")
      ->required();
  verb("ls", "What is shipped, and the runs in the store", [&] { return ls_verb(o.common); });

  verb("explain",
       "Why a stored run takes its time, and what would change that (default: the newest)",
       [&] { return explain_verb(o.common, o.name); })
      ->add_option("RUN", o.name, "Id of a run");
  CLI::App* trace = verb("trace", "A stored run for ui.perfetto.dev (default: the newest)",
                         [&] { return trace_verb(o.common, o.name, o.trace); });
  trace->add_option("RUN", o.name, "Id of a run");
  trace->add_option("-o,--output", o.trace, "The file to write")->capture_default_str();

  CLI::App* report = verb("report", "A page of stored runs (default: the newest)",
                          [&] { return report_verb(o.common, o.names, o.output); });
  report->add_option("RUN", o.names, "Ids of runs");
  report->add_option("-o,--output", o.output, "The page to write")->capture_default_str();
}

}  // namespace

void add_verbs(CLI::App& app, Options& o, std::function<int()>& call) {
  const AddVerb verb = [&](const char* name, const char* doc, std::function<int()> action) {
    CLI::App* v = app.add_subcommand(name, doc);
    v->fallthrough()->footer("Options of every verb (--json, --set, ...): presil --help");
    v->callback([&call, action = std::move(action)] { call = action; });
    return v;
  };
  verb("demo", "Real text on a chip that does not exist, and Llama 3 beside it",
       [&] { return demo_verb(o.common); });
  add_run(verb, o);
  add_numerics(verb, o);
  add_chat(verb, o);
  add_sweep(verb, o);
  add_serve(verb, o);
  add_dram(*verb("dram", "A memory by itself: a pattern or a trace, command by command",
                 [&] { return dram_verb(o.common, o.dram); }),
           o.dram);
  add_compile(verb, o);
  verb("show", "A chip's derived figures and sources, a model's shape, numerics or a network",
       [&] { return show_verb(o.common, o.name); })
      ->add_option("NAME", o.name, "A chip, a model, a network, or a set of numerics")
      ->required();
  add_cost_verb(verb, o);
  add_dram_check(verb, o);
  add_verify_verb(verb, o);
  add_files(verb, o);
}

}  // namespace presil::app

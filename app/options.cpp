#include "app/options.h"

#include <charconv>
#include <map>
#include <system_error>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "app/dram_options.h"

namespace presil::app {
namespace {

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

/// An option whose value is one of the names in `choices`.
template <class E, class T>
CLI::Option* add_choice(CLI::App& verb, const std::string& name, T& target,
                        const std::map<std::string, E>& choices, const std::string& doc) {
  return verb
      .add_option_function<std::string>(
          name, [&](const std::string& value) { target = choices.at(value); }, doc)
      ->check(CLI::IsMember(&choices));
}

/// One length for all sequences, or a list.
void add_lengths(CLI::App& verb, const std::string& name, std::int64_t& all,
                 std::vector<std::int64_t>& each, const std::string& doc) {
  verb.add_option_function<std::vector<std::int64_t>>(
          name,
          [&](const std::vector<std::int64_t>& lengths) {
            all = lengths.front();
            if (lengths.size() > 1) each = lengths;
          },
          doc)
      ->delimiter(',')
      ->allow_extra_args(false)
      ->default_str(std::to_string(all));
}

void add_compare(CLI::App& verb, CompareRequest& c) {
  verb.add_option("--compare", c.with, "Numerics to compare the values with, such as fp32");
  verb.add_option("--text", c.text, "A text file to compare on (default: what was generated)");
  verb.add_option("--tokens", c.tokens, "Of the text, at most (0: what the model's context holds)");
  verb.add_flag("--layers", c.layers, "Also the error of the residual stream after each layer");
}

}  // namespace

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
  verb.add_option("--network", r.network,
                  "What joins more chips than their links do: a name in networks/");
  verb.add_option("--pp", r.pipeline_parallel, "Stages of a pipeline")->capture_default_str();
  verb.add_option("--ep", r.expert_parallel, "Chips over which a layer's experts are spread")
      ->capture_default_str();
  verb.add_option("--dp", r.data_parallel, "Replicas of attention, which share the batch")
      ->capture_default_str();
  verb.add_option("--microbatches", r.microbatches,
                  "Parts of a replica's batch on their way through a pipeline (default: one a "
                  "stage, where they divide)");
  verb.add_option("--expert-imbalance", r.expert_imbalance,
                  "Tokens of the busiest chip's experts over the mean chip's")
      ->capture_default_str();
  verb.add_option("--kv-page", r.kv_page,
                  "Tokens of a page of the KV cache (default: the software's)");
  verb.add_flag("--sequence-parallel", r.sequence_parallel,
                "Norms and residual stream spread over the tensor group");
  verb.add_option("--weights", r.weights, "A GGUF file or a safetensors checkpoint");
  verb.add_option("--dtype", r.dtype,
                  "Format that weights are stored in, without a file, or a set of numerics "
                  "(default: the numerics')");
  verb.add_option("--mapping", r.mapping,
                  "A file of mappings to pin, as compile --emit mapping prints");
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
  add_lengths(verb, "--prompt-tokens", r.prompt_tokens, r.prompts,
              "New tokens of each sequence in a prefill; of several, as 512,2048, in turn");
  add_lengths(verb, "--context", r.context, r.contexts,
              "Cached tokens of each sequence before a decode step; of several in turn");
  add_choice(verb, "--launch", r.launch, launches,
             "How kernels are launched: eager, stream or graph")
      ->option_text("HOW (as the software)");
  verb.add_option("--software", r.software,
                  "Serving engine to stand for: a file, or the name of one in software/ "
                  "(default: trtllm where its kernels are known, else ideal)");
  verb.add_flag("--burst", r.burst,
                "The highest clock, as a few calls after idling see it (default: what the power "
                "limit sustains)");
  verb.add_flag("--warm-cache", r.warm_cache,
                "A benchmark's loop: what fits the last-level cache is still there");
}

void add_sampling(CLI::App& verb, SamplingOptions& s) {
  verb.add_option("--temperature", s.temperature, "Of the choice of tokens; 0: the most probable")
      ->capture_default_str();
  verb.add_option("--top-k", s.top_k, "Choose among the k most probable tokens (0: all)");
  verb.add_option("--top-p", s.top_p, "Among the fewest whose probabilities reach p (1: all)");
  verb.add_option("--min-p", s.min_p, "Among those with p times the largest probability (0: all)");
  verb.add_option("--repetition-penalty", s.repetition_penalty,
                  "Makes tokens of the context less probable (1: does not)");
}

void add_values(CLI::App& verb, Options& o) {
  static const std::map<std::string, Mode> modes = {
      {"values", Mode::values}, {"cycles", Mode::cycles}, {"both", Mode::both}};
  CLI::Option* mode = add_choice(verb, "--mode", o.request.mode, modes,
                                 "values, cycles or both (with a prompt: both)");
  mode->option_text("MODE (cycles)");
  auto* prompt_option =
      verb.add_option("--prompt", o.prompt, "Text to continue; needs real weights");
  verb.add_option("-n", o.request.max_tokens, "Tokens to generate")->capture_default_str();
  add_sampling(verb, o.request.sampling);
  add_compare(verb, o.request.compare);
  verb.parse_complete_callback([&o, mode, prompt_option] {
    if (prompt_option->count() == 0) return;
    o.request.prompt = o.prompt;
    if (mode->count() == 0) o.request.mode = Mode::both;
  });
}

void add_cost(CLI::App& verb, CostRequest& r) {
  verb.add_option("CHIP", r.chip, "A chip file or name")->required();
  verb.add_option("--node", r.to.node, "Move the design to this node (a file in nodes/)");
  verb.add_option("--package", r.to.package, "Put it into this package (a file in packages/)");
  verb.add_option("--volume", r.volume, "Chips that pay for design and masks (0: left out)")
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{1'000'000'000}));
  verb.add_option("--monte-carlo", r.samples, "Draws of all prices at once (0: none)")
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{1'000'000}));
  verb.add_flag("--tornado", r.tornado, "Each price from its low to its high by itself");
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

void add_silicon(CLI::App& verb, SiliconRequest& r) {
  verb.add_option("--data", r.data, "A folder of measured rows (default: data/silicon)");
  verb.add_option("--sample", r.sample, "Rows at most, chosen by their hashes (0: all)")
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{1} << 40));
  verb.add_option("--min-latency-us", r.min_latency_us, "Shorter rows stand in groups of their own")
      ->check(CLI::Range(0.0, 1e9))
      ->capture_default_str();
  verb.add_option("--folds", r.folds,
                  "Predict each family of shapes by constants fitted on the others")
      ->check(CLI::Range(2, 100));
  verb.add_option("--leave-out-chip", r.leave_out_chip,
                  "Predict this chip by constants fitted on all others");
  verb.add_flag("--fit", r.fit, "Fit the constants on the data first");
  verb.add_option("--out", r.out, "Write the fitted constants to this file");
  verb.add_flag("--write-docs", r.write_docs,
                "Write docs/accuracy.md, the table of the README and software/uncertainty.yaml");
  verb.add_option("--expect", r.expect, "A file of errors that no group may exceed");
  verb.add_option("--write-expected", r.write_expected, "Write the errors as such a file");
}

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

}  // namespace presil::app

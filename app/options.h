// What the command line can say, and the groups of options that several verbs take.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "app/verbs.h"

namespace CLI {
class App;
}

namespace presil::app {

struct Options {
  Common common;
  bool no_host = false;
  int threads = 0;
  RunRequest request;
  DramRequest dram;
  NumericsTableRequest numerics;
  ChatRequest chat;
  ServeRequest serve;
  CostRequest cost;
  VerifyRequest verify;
  SiliconRequest silicon;
  std::string verified = "values";  // values or silicon
  std::string emit = "text";
  std::string name, log, rate;
  std::vector<std::string> names;
  std::string prompt;  // of run
  std::string output = "out/report.html", trace = "out/trace.json";
};

/// Options of every verb, taken before or after it.
void add_common(CLI::App& app, Options& o);

/// A chip and a model, and how the one is compiled for the other.
void add_design(CLI::App& verb, Options& o);

/// The step whose time is asked for.
void add_step(CLI::App& verb, Options& o);

/// Values, cycles or both, and of which text.
void add_values(CLI::App& verb, Options& o);

/// How the next token is chosen. The defaults are greedy.
void add_sampling(CLI::App& verb, SamplingOptions& s);

/// What `cost` takes.
void add_cost(CLI::App& verb, CostRequest& r);

void add_dram(CLI::App& verb, DramRequest& r);

void add_verify(CLI::App& verb, VerifyRequest& r);

/// What `verify silicon` takes.
void add_silicon(CLI::App& verb, SiliconRequest& r);

/// Refuses what is beyond 64 bits for every whole number of `verb`: CLI11 takes the largest.
void check_whole_numbers(CLI::App& verb);

}  // namespace presil::app

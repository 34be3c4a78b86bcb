// What verbs print: JSON with the host's share, and the tables of a run.
#pragma once

#include <string>

#include "app/verbs.h"
#include "explore/run_json.h"

namespace presil::app {

/// Prints `json` as one object on stdout, with `host` {cpu_s, peak_rss_bytes} unless --no-host.
void print_json(const Common& common, Json json);

/// Whether stdout shows colour.
bool colour();

/// The summary of a run for a person: model, chip, text, a table of its phases, price.
std::string describe(const RunResult& result, bool colour);

/// The phases of several runs in one table, a run a group of rows.
std::string phase_table(const std::vector<RunResult>& results, bool colour);

/// "no: ...": the reason of an answer that is no, and what would do instead.
std::string describe(const Infeasible& answer);

/// Prints an answer that is no (as JSON when asked); returns 1.
int answer_no(const Common& common, const RunRequest& request, const Infeasible& answer);

}  // namespace presil::app

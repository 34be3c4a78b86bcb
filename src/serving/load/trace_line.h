// One line of a trace, with the places of its values.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/lines.h"

namespace presil::serving {

/// A value in its line. column 0: it is not there.
struct Cell {
  int column = 0;
  int length = 0;
};

struct TraceLine {
  std::int64_t arrival_ns = 0;  // from any origin
  std::int64_t prompt_tokens = 0;
  std::int64_t output_tokens = 0;
  std::vector<std::uint64_t> prefix;
  Cell arrival, prompt, output, names;
};

/// Reads a line of a Mooncake trace, a JSON object, which `lines` gave last. Other keys are
/// skipped, with values of any kind. Throws InputError at the place that is wrong. A general parser
/// of JSON would take longer over a trace than the simulator does.
void read_mooncake_line(const Lines& lines, std::string_view line, TraceLine& into);

}  // namespace presil::serving

#include "trace.h"

#include <fstream>
#include <sstream>
#include <stdexcept>
#include <utility>

namespace {

/// False unless `text` is BUBBLES LOAD [STORE].
bool parse(const std::string& text, TraceLine& line) {
  std::istringstream words(text);
  words.unsetf(std::ios::basefield);  // decimal or 0x
  if (!(words >> line.bubbles >> line.load)) return false;
  std::uint64_t store = 0;
  if (words >> store) line.store = store;
  return words.eof();
}

}  // namespace

std::vector<TraceLine> read_trace(const std::string& file) {
  std::ifstream in(file);
  if (!in) throw std::runtime_error(file + ": cannot be opened");
  std::vector<TraceLine> trace;
  std::string text;
  for (int number = 1; std::getline(in, text); ++number) {
    TraceLine line;
    if (!parse(text, line)) {
      throw std::runtime_error(file + ":" + std::to_string(number) +
                               ": expected BUBBLES LOAD [STORE], found '" + text + "'");
    }
    trace.push_back(line);
  }
  if (trace.empty()) throw std::runtime_error(file + ": no line");
  return trace;
}

Instructions::Instructions(std::vector<TraceLine> trace, std::uint64_t loads)
    : trace_(std::move(trace)), loads_left_(loads) {}

Instruction Instructions::current() const {
  if (place_ < line().bubbles) return {Instruction::plain, 0};
  if (place_ == line().bubbles) return {Instruction::load, line().load};
  return {Instruction::store, *line().store};
}

void Instructions::next() {
  const bool was_load = place_ == line().bubbles;
  const std::uint64_t length = line().bubbles + (line().store ? 2 : 1);
  if (++place_ == length) {
    place_ = 0;
    if (++line_ == trace_.size()) line_ = 0;
  }
  if (was_load) --loads_left_;
}

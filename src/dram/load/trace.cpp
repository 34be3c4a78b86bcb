#include "dram/load/trace.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <system_error>
#include <vector>

#include <fmt/format.h>

#include "base/error.h"
#include "base/interrupt.h"

namespace presil::dram {
namespace {

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r';
}

/// The whole of `text` as a number; false for anything else.
bool parse(std::string_view text, int base, std::uint64_t& value) {
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value, base);
  return error == std::errc() && stop == end;
}

bool has_prefix(std::string_view address) {
  return address.starts_with("0x") || address.starts_with("0X");
}

bool parse_hex(std::string_view address, std::uint64_t& value) {
  return parse(address.substr(has_prefix(address) ? 2 : 0), 16, value);
}

std::string quoted(std::string_view text) {
  return text.empty() ? "nothing" : fmt::format("'{}'", text);
}

}  // namespace

TraceReader::TraceReader(const std::filesystem::path& path, std::int64_t capacity)
    : name_(path.string()), file_(path, std::ios::binary), capacity_(capacity) {
  std::error_code error;
  if (!file_ || std::filesystem::is_directory(path, error)) {
    throw MissingInput(fmt::format("{}: no trace can be read here", name_));
  }
}

bool TraceReader::next(TraceRequest& request) {
  constexpr std::int64_t kBetweenLooks = 1 << 16;
  if (line_number_ % kBetweenLooks == 0) check_interrupt();
  Word first;
  do {
    if (!next_line()) {
      if (requests_ == 0) {
        throw InputError(fmt::format(
            "{}: expected requests such as \"LD 0x1000\" or \"0x1000 READ 100\", found none",
            name_));
      }
      return false;
    }
    first = take_word();
  } while (first.text.empty() || first.text.front() == '#');

  if (format_ == Format::unknown) {
    const bool ramulator = first.text == "LD" || first.text == "ST";
    format_ = ramulator ? Format::ramulator2 : Format::dramsim3;
    std::uint64_t address = 0;
    if (!ramulator && !parse_hex(first.text, address)) {
      fail(first, fmt::format("expected LD or ST (Ramulator 2) or an address (DRAMsim3), found {}",
                              quoted(first.text)));
    }
  }
  if (format_ == Format::ramulator2) {
    request.write = take_direction(first, "LD", "ST");
    request.address = take_address(take_word(), /*always_hex=*/false);
    request.cycle = 0;
  } else {
    request.address = take_address(first, /*always_hex=*/true);
    request.write = take_direction(take_word(), "READ", "WRITE");
    request.cycle = last_cycle_ = take_cycle(take_word());
  }
  if (const Word more = take_word(); !more.text.empty()) {
    fail(more, fmt::format("expected the end of the line, found {}", quoted(more.text)));
  }
  ++requests_;
  return true;
}

bool TraceReader::next_line() {
  file_.getline(buffer_, sizeof buffer_);
  const auto read = static_cast<std::size_t>(file_.gcount());
  ++line_number_;
  at_ = 0;
  if (read == 0) {
    if (file_.bad()) throw MissingInput(fmt::format("{}: cannot be read", name_));
    return false;
  }
  if (file_.fail()) {  // the line goes on
    line_ = std::string_view(buffer_, kLongestLine);
    fail({line_.substr(kLongestLine), kLongestLine},
         fmt::format("expected a line of at most {} characters, found a longer one", kLongestLine));
  }
  line_ = std::string_view(buffer_, read - (file_.eof() ? 0 : 1));  // without its '\n'
  return true;
}

TraceReader::Word TraceReader::take_word() {
  while (at_ < line_.size() && is_blank(line_[at_])) ++at_;
  const std::size_t start = at_;
  while (at_ < line_.size() && !is_blank(line_[at_])) ++at_;
  return {line_.substr(start, at_ - start), start};
}

bool TraceReader::take_direction(const Word& word, std::string_view read,
                                 std::string_view write) const {
  if (word.text != read && word.text != write) {
    fail(word, fmt::format("expected {} or {}, found {}", read, write, quoted(word.text)));
  }
  return word.text == write;
}

std::int64_t TraceReader::take_address(const Word& word, bool always_hex) const {
  const bool hex = always_hex || has_prefix(word.text);
  std::uint64_t address = 0;
  if (hex ? !parse_hex(word.text, address) : !parse(word.text, 10, address)) {
    fail(word,
         fmt::format("expected an address in {}, found {}",
                     hex ? "hex, such as 0x12345680," : "decimal, or in hex such as 0x12345680",
                     quoted(word.text)));
  }
  if (address >= static_cast<std::uint64_t>(capacity_)) {
    fail(word, fmt::format("expected an address below {:#x}, the end of the memory, found {:#x}",
                           capacity_, address));
  }
  return static_cast<std::int64_t>(address);
}

std::int64_t TraceReader::take_cycle(const Word& word) const {
  std::uint64_t cycle = 0;
  if (!parse(word.text, 10, cycle) || cycle > static_cast<std::uint64_t>(kLastCycle)) {
    fail(word,
         fmt::format("expected a cycle from 0 to {}, found {}", kLastCycle, quoted(word.text)));
  }
  if (static_cast<std::int64_t>(cycle) < last_cycle_) {
    fail(word, fmt::format("expected a cycle of at least {}, that of the line before, found {}",
                           last_cycle_, cycle));
  }
  return static_cast<std::int64_t>(cycle);
}

void TraceReader::fail(const Word& word, const std::string& message) const {
  constexpr std::int64_t kMost = std::numeric_limits<int>::max();
  throw InputError(
      std::vector<Diagnostic>{{.file = name_,
                               .line = static_cast<int>(std::min(line_number_, kMost)),
                               .column = static_cast<int>(word.at) + 1,
                               .length = std::max(1, static_cast<int>(word.text.size())),
                               .message = message,
                               .source_line = std::string(line_)}});
}

}  // namespace presil::dram

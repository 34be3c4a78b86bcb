#include "dram/check/command_log.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <limits>
#include <system_error>

#include <fmt/ranges.h>

#include "base/document.h"
#include "base/quantity_text.h"

namespace presil::dram {
namespace {

constexpr std::string_view kMagic = "# presil-dram-log/1";
constexpr std::int64_t kMostOfAnIndex = std::numeric_limits<int>::max();
constexpr std::size_t kBufferSize = std::size_t{1} << 18;
const std::vector<std::string> kHeaderKeys = {"part",  "rate", "channels", "pseudo_channels",
                                              "banks", "rows"};

void append_number(fmt::memory_buffer& buffer, std::int64_t number) {
  const fmt::format_int digits(number);
  buffer.append(digits.data(), digits.data() + digits.size());
}

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r';
}

/// Cuts the next word off `rest`; an empty one at the end of the line, standing there.
std::string_view take_word(std::string_view& rest) {
  const std::size_t from =
      static_cast<std::size_t>(std::find_if_not(rest.begin(), rest.end(), is_blank) - rest.begin());
  rest.remove_prefix(from);
  const std::size_t length =
      static_cast<std::size_t>(std::find_if(rest.begin(), rest.end(), is_blank) - rest.begin());
  const std::string_view word = rest.substr(0, length);
  rest.remove_prefix(length);
  return word;
}

/// A whole number from 0 to `most`, and nothing else.
std::optional<std::int64_t> parse_count(std::string_view text, std::int64_t most) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0 || value > most) {
    return std::nullopt;
  }
  return value;
}

std::optional<Command> parse_command(std::string_view text) {
  for (int c = 0; c < kCommands; ++c) {
    if (to_string(static_cast<Command>(c)) == text) return static_cast<Command>(c);
  }
  return std::nullopt;
}

std::string command_names() {
  std::array<std::string_view, kCommands> names;
  for (int c = 0; c < kCommands; ++c) {
    names[static_cast<std::size_t>(c)] = to_string(static_cast<Command>(c));
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

std::string found(std::string_view word) {
  return word.empty() ? "found the end of the line" : fmt::format("found '{}'", word);
}

/// A name as one word of the header.
std::string as_word(std::string name) {
  constexpr std::size_t kLongestName = 100;
  name.resize(std::min(name.size(), kLongestName));
  for (char& c : name) {
    if (static_cast<unsigned char>(c) <= ' ' || c == '=') c = '_';
  }
  return name;
}

}  // namespace

LogHeader log_header(const MemoryPart& part, BitsPerSecond rate, std::int64_t channels) {
  return {as_word(part.name), rate, channels, part.pseudo_channels, part.total_banks(), part.rows};
}

// ---- writing ------------------------------------------------------------------------------------

LogWriter::LogWriter(std::ostream& out, const LogHeader& header) : out_(out) {
  const auto append = [&](std::string_view key, const std::string& value) {
    fmt::format_to(std::back_inserter(buffer_), " {}={}", key, value);
  };
  const auto append_if = [&](std::string_view key, const std::optional<std::int64_t>& value) {
    if (value) append(key, std::to_string(*value));
  };
  buffer_.append(kMagic);
  if (!header.part.empty()) append("part", header.part);
  if (header.rate) append("rate", fmt::format("{} Gb/s", header.rate->count() / 1e9));
  append_if("channels", header.channels);
  append_if("pseudo_channels", header.pseudo_channels);
  append_if("banks", header.banks);
  append_if("rows", header.rows);
  buffer_.push_back('\n');
}

void LogWriter::write(int channel, const LoggedCommand& c) {
  const auto append_or_dash = [&](bool there, int number) {
    buffer_.push_back(' ');
    if (there) {
      append_number(buffer_, number);
    } else {
      buffer_.push_back('-');
    }
  };
  append_number(buffer_, c.tick);
  append_or_dash(true, channel);
  append_or_dash(true, c.pseudo_channel);
  buffer_.push_back(' ');
  buffer_.append(to_string(c.command));
  append_or_dash(has_bank(c.command), c.bank);
  append_or_dash(has_row(c.command), c.row);
  buffer_.push_back('\n');
  if (buffer_.size() >= kBufferSize) flush();
}

void LogWriter::flush() {
  errno = 0;
  out_.write(buffer_.data(), static_cast<std::streamsize>(buffer_.size()));
  out_.flush();
  buffer_.clear();
  if (!out_) throw std::system_error(errno, std::generic_category(), "writing the command log");
}

// ---- reading ------------------------------------------------------------------------------------

LogReader::LogReader(const std::filesystem::path& path)
    : name_(path.string()), file_(std::fopen(path.c_str(), "rb")), buffer_(kBufferSize) {
  if (!file_) throw MissingInput(fmt::format("{}: {}", name_, std::strerror(errno)));
  std::string_view text;
  if (!next_line(text)) {
    throw InputError(fmt::format("{}: expected a command log, found an empty file", name_));
  }
  read_header(text);
}

Diagnostic LogReader::complaint_at(std::string_view key, std::string message) const {
  const std::size_t at = header_text_.find(fmt::format(" {}=", key));
  const std::size_t column = at == std::string::npos ? 1 : at + 2;
  return {
      name_,       1, static_cast<int>(column), static_cast<int>(key.size()), std::move(message),
      header_text_};
}

void LogReader::fail(std::string_view line, std::string_view at, std::string message) const {
  constexpr std::int64_t kMostLines = std::numeric_limits<int>::max();
  throw InputError({Diagnostic{name_, static_cast<int>(std::min(line_, kMostLines)),
                               static_cast<int>(at.data() - line.data()) + 1,
                               std::max(1, static_cast<int>(at.size())), std::move(message),
                               std::string(line)}});
}

bool LogReader::next_line(std::string_view& text) {
  const char* newline = nullptr;
  bool at_end = false;
  const auto unread = [&] { return std::string_view(buffer_.data() + begin_, end_ - begin_); };
  while (true) {
    newline = static_cast<const char*>(std::memchr(buffer_.data() + begin_, '\n', end_ - begin_));
    if (newline != nullptr || at_end || end_ - begin_ > kLongestLine) break;
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
    const std::size_t got =
        std::fread(buffer_.data() + end_, 1, buffer_.size() - end_, file_.get());
    if (got == 0 && std::ferror(file_.get()) != 0) {
      throw MissingInput(fmt::format("{}: {}", name_, std::strerror(errno)));
    }
    at_end = got == 0;
    end_ += got;
    bytes_read_ += static_cast<std::int64_t>(got);
  }
  if (newline == nullptr && unread().empty()) return false;
  ++line_;
  text = newline == nullptr
             ? unread()
             : unread().substr(0, static_cast<std::size_t>(newline - unread().data()));
  if (text.size() > kLongestLine) {
    const std::string_view shown = text.substr(0, kLongestLine);
    fail(shown, shown.substr(kLongestLine),
         fmt::format("expected lines of at most {} characters", kLongestLine));
  }
  begin_ += text.size() + (newline == nullptr ? 0 : 1);
  return true;
}

void LogReader::read_header(std::string_view text) {
  header_text_ = text;
  const std::string_view line = header_text_;
  if (!line.starts_with(kMagic) ||
      (line.size() > kMagic.size() && !is_blank(line[kMagic.size()]))) {
    fail(line, line.substr(0, 1), fmt::format("expected a log that begins with \"{}\"", kMagic));
  }
  std::string_view rest = line.substr(kMagic.size());
  std::string_view word = take_word(rest);
  while (!word.empty()) {
    const std::size_t equals = word.find('=');
    const std::string_view key = word.substr(0, equals);
    if (equals == std::string_view::npos ||
        std::find(kHeaderKeys.begin(), kHeaderKeys.end(), key) == kHeaderKeys.end()) {
      fail(line, word,
           fmt::format("expected key=value with a key out of {}; {}", fmt::join(kHeaderKeys, ", "),
                       found(word)));
    }
    const char* const from = word.data() + equals + 1;  // "6.4 Gb/s" is a value of two words
    const char* to = word.data() + word.size();
    for (word = take_word(rest); !word.empty() && word.find('=') == std::string_view::npos;
         word = take_word(rest)) {
      to = word.data() + word.size();
    }
    const std::string_view value(from, static_cast<std::size_t>(to - from));
    if (key == "part") {
      header_.part = value;
    } else if (key == "rate") {
      const auto rate = parse_quantity(value, Dimension::bits_per_second);
      if (!rate) fail(line, value, fmt::format("rate: {}", rate.error()));
      header_.rate = BitsPerSecond(*rate);
    } else {
      constexpr std::int64_t kMostOfAnything = std::int64_t{1} << 40;
      const auto count =
          parse_count(value, key == "channels" ? std::int64_t{kMostChannels} : kMostOfAnything);
      if (!count || *count == 0) {
        fail(line, value, fmt::format("{}: expected a count, {}", key, found(value)));
      }
      if (key == "channels") header_.channels = count;
      if (key == "pseudo_channels") header_.pseudo_channels = count;
      if (key == "banks") header_.banks = count;
      if (key == "rows") header_.rows = count;
    }
  }
}

bool LogReader::next(LogEntry& entry) {
  std::string_view line, rest, word;
  do {
    if (!next_line(line)) return false;
    rest = line;
    word = take_word(rest);
  } while (word.empty() || word.front() == '#');

  const auto number = [&](std::string_view what, std::int64_t most) {
    const auto value = parse_count(word, most);
    if (!value) {
      fail(line, word, fmt::format("expected {} from 0 to {}, {}", what, most, found(word)));
    }
    return *value;
  };
  const auto index = [&](std::string_view what, std::int64_t most = kMostOfAnIndex) {
    word = take_word(rest);
    return static_cast<int>(number(what, most));
  };
  const auto index_if = [&](bool needed, std::string_view what) {
    std::string_view after = rest;
    if (!needed && take_word(after) == "-") {
      rest = after;
      return 0;
    }
    const int value = index(what);
    return needed ? value : 0;
  };

  LoggedCommand& c = entry.command;
  c.tick = number("a tick", kNever);
  entry.channel = index("a channel", kMostChannels - 1);
  c.pseudo_channel = index("a pseudo-channel");
  word = take_word(rest);
  const auto command = parse_command(word);
  if (!command) {
    fail(line, word, fmt::format("expected a command ({}), {}", command_names(), found(word)));
  }
  c.command = *command;
  c.bank = index_if(has_bank(c.command), "a bank");
  c.row = index_if(has_row(c.command), "a row");
  word = take_word(rest);
  if (!word.empty()) fail(line, word, fmt::format("expected the end of the line, {}", found(word)));
  return true;
}

}  // namespace presil::dram

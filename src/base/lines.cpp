#include "base/lines.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>
#include <zlib.h>

namespace presil {
namespace {

constexpr std::size_t kPiece = std::size_t{1} << 16;
constexpr std::size_t kMostShown = 200;  // characters of a line under a complaint
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

}  // namespace

struct Lines::Stream {
  explicit Stream(gzFile opened) : in(opened, gzclose) {}
  std::unique_ptr<gzFile_s, int (*)(gzFile)> in;
};

Lines::Lines(const std::filesystem::path& file, std::string name, std::int64_t most_text)
    : name_(name.empty() ? file.string() : std::move(name)), most_text_(most_text) {
  std::error_code none;
  const bool regular = std::filesystem::is_regular_file(file, none);
  gzFile in = regular ? gzopen(file.c_str(), "rb") : nullptr;
  if (in == nullptr) throw MissingInput(fmt::format("{}: cannot be opened", name_));
  stream_ = std::make_unique<Stream>(in);
  buffer_.resize(kPiece);
}

Lines::Lines(Lines&&) noexcept = default;
Lines& Lines::operator=(Lines&&) noexcept = default;
Lines::~Lines() = default;

InputError Lines::refused(const std::string& message) const {
  return InputError(
      {{name_, static_cast<int>(std::min<std::int64_t>(number_, 1 << 30)), 1, 1, message, ""}});
}

Diagnostic Lines::complaint(int column, std::string message, int length) const {
  const auto shown = std::string(line_.substr(0, kMostShown));
  return {name_,   static_cast<int>(std::min<std::int64_t>(number_, 1 << 30)), column, length,
          message, static_cast<std::size_t>(column) <= kMostShown ? shown : ""};
}

/// Reads on behind what is kept; false at the end of the file.
bool Lines::refill() {
  std::copy(buffer_.begin() + static_cast<std::ptrdiff_t>(begin_),
            buffer_.begin() + static_cast<std::ptrdiff_t>(end_), buffer_.begin());
  end_ -= begin_;
  begin_ = 0;
  if (buffer_.size() - end_ < kPiece) buffer_.resize(2 * buffer_.size());
  const int got = gzread(stream_->in.get(), buffer_.data() + end_, kPiece);
  // A stream that ends early leaves Z_BUF_ERROR behind and no negative count.
  int code = Z_OK;
  gzerror(stream_->in.get(), &code);
  if (got < 0 || (code != Z_OK && code != Z_STREAM_END)) throw refused("broken gzip data");
  end_ += static_cast<std::size_t>(got);
  text_ += got;
  if (text_ > most_text_) throw refused(fmt::format("over {} bytes of text", most_text_));
  return got > 0;
}

std::optional<std::string_view> Lines::next() {
  ++number_;
  line_ = {};
  std::size_t searched = 0;
  std::size_t length = 0;
  std::size_t taken = 0;
  for (;;) {
    const char* kept = buffer_.data() + begin_;
    const void* found = std::memchr(kept + searched, '\n', end_ - begin_ - searched);
    searched = end_ - begin_;
    length = found != nullptr ? static_cast<std::size_t>(static_cast<const char*>(found) - kept)
                              : searched;
    taken = found != nullptr ? length + 1 : length;
    if (length > kLongestLine) {
      throw refused(fmt::format("a line of more than {} bytes", kLongestLine));
    }
    if (found != nullptr) break;
    if (refill()) continue;
    if (searched == 0) return std::nullopt;
    break;
  }
  line_ = std::string_view(buffer_.data() + begin_, length);
  begin_ += taken;
  if (number_ == 1 && line_.starts_with(kByteOrderMark)) line_.remove_prefix(kByteOrderMark.size());
  if (line_.ends_with('\r')) line_.remove_suffix(1);
  return line_;
}

}  // namespace presil

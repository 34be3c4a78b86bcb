#include "silicon/csv_text.h"

#include <memory>

#include <fmt/format.h>
#include <zlib.h>

#include "base/error.h"

namespace presil::silicon {
namespace {

constexpr std::size_t kMostText = std::size_t{1} << 30;
constexpr unsigned kPiece = 1U << 20;

}  // namespace

std::string read_maybe_gzipped(const std::filesystem::path& file) {
  // zlib hands through what is not compressed.
  const std::unique_ptr<gzFile_s, int (*)(gzFile)> in(gzopen(file.c_str(), "rb"), gzclose);
  if (!in) throw MissingInput(fmt::format("{}: cannot be opened", file.string()));
  std::string text;
  for (;;) {
    const std::size_t had = text.size();
    if (had > kMostText) throw InputError(fmt::format("{}: over 1 GiB of text", file.string()));
    text.resize(had + kPiece);
    const int got = gzread(in.get(), text.data() + had, kPiece);
    int code = Z_OK;
    gzerror(in.get(), &code);
    // A stream that ends early leaves Z_BUF_ERROR behind and no negative count.
    if (got < 0 || (code != Z_OK && code != Z_STREAM_END)) {
      throw InputError(fmt::format("{}: broken gzip data", file.string()));
    }
    text.resize(had + static_cast<std::size_t>(got));
    if (got == 0) return text;
  }
}

bool split_csv(std::string_view line, CsvFields& into) {
  std::size_t count = 0;
  std::size_t at = 0;
  bool closed = true;
  const auto next = [&]() -> std::string& {
    if (count == into.text.size()) {
      into.text.emplace_back();
      into.column.push_back(0);
    }
    into.column[count] = static_cast<int>(at) + 1;
    into.text[count].clear();
    return into.text[count++];
  };
  for (;;) {
    std::string& field = next();
    if (at < line.size() && line[at] == '"') {
      closed = false;
      for (++at; at < line.size(); ++at) {
        if (line[at] != '"') {
          field += line[at];
        } else if (at + 1 < line.size() && line[at + 1] == '"') {
          field += line[++at];
        } else {
          closed = true;
          ++at;
          break;
        }
      }
    }
    const std::size_t end = std::min(line.find(',', at), line.size());
    field.append(line.substr(at, end - at));
    if (end == line.size()) break;
    at = end + 1;
  }
  into.text.resize(count);
  into.column.resize(count);
  return closed;
}

}  // namespace presil::silicon

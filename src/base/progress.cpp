#include "base/progress.h"

#include <cstdio>
#include <utility>

#include <fmt/format.h>

namespace presil {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr auto kSilence = seconds(1);
constexpr auto kBetweenDraws = milliseconds(100);

// Keeps whole UTF-8 characters; the line must not wrap, or it cannot be rewritten.
std::string first_columns(std::string_view text, int columns) {
  std::size_t end = 0;
  int used = 0;
  while (end < text.size()) {
    const bool starts_character = (static_cast<unsigned char>(text[end]) & 0xC0U) != 0x80U;
    if (starts_character && used++ == columns) break;
    ++end;
  }
  return std::string(text.substr(0, end));
}

}  // namespace

std::atomic<const Progress*> Progress::shown_ = nullptr;

Progress::Progress(std::string label, std::int64_t total)
    : Progress(
          std::move(label), total, terminal_of(2),
          [](std::string_view text) {
            std::fwrite(text.data(), 1, text.size(), stderr);
            std::fflush(stderr);
          },
          [] { return std::chrono::steady_clock::now(); }) {}

Progress::Progress(std::string label, std::int64_t total, Terminal terminal, Sink sink, Clock clock)
    : label_(std::move(label)),
      total_(total),
      terminal_(terminal),
      sink_(std::move(sink)),
      clock_(std::move(clock)),
      start_(clock_()),
      next_draw_(start_ + kSilence) {}

Progress::~Progress() {
  if (drawn_) sink_("\r\x1b[K");
  const Progress* mine = this;
  shown_.compare_exchange_strong(mine, nullptr);
}

void Progress::advance(std::int64_t steps, std::string_view detail) {
  const std::scoped_lock lock(mutex_);
  done_ += steps;
  if (!terminal_.interactive) return;
  const auto now = clock_();
  if (now < next_draw_) return;
  const Progress* other = nullptr;
  if (!shown_.compare_exchange_strong(other, this) && other != this) return;
  next_draw_ = now + kBetweenDraws;
  draw(detail, now - start_);
}

void Progress::draw(std::string_view detail, std::chrono::duration<double> elapsed) {
  std::string line = label_ + " ";
  if (total_ > 0) {
    line += fmt::format("{}/{} ({} %)", done_, total_, 100 * done_ / total_);
  } else {
    line += fmt::format("{}", done_);
  }
  line += fmt::format(", {:.0f} s", elapsed.count());
  if (!detail.empty()) line += fmt::format(", {}", detail);
  sink_("\r" + first_columns(line, terminal_.width - 1) + "\x1b[K");
  drawn_ = true;
}

}  // namespace presil

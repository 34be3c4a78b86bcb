#include <algorithm>
#include <exception>
#include <optional>
#include <queue>
#include <utility>

#include <fmt/format.h>

#include <presilicon/memory.h>

#include "base/clock.h"
#include "chip/dram_shape.h"
#include "chip/library.h"
#include "dram/latency.h"
#include "embed/ports.h"

namespace presilicon {
namespace {

using presil::BitsPerSecond;
using presil::DramClock;
using presil::DramCycles;
using presil::DramFiles;
using presil::MemoryPart;
using presil::Picoseconds;
using presil::dram::Command;
using presil::dram::Served;
using presil::dram::Tick;

constexpr int kMostChannels = 4096;
constexpr int kLongestLine = 1 << 20;

template <class... Args>
[[noreturn]] void refuse(fmt::format_string<Args...> text, Args&&... args) {
  throw Error(fmt::format(text, std::forward<Args>(args)...));
}

DramFiles load(const std::string& file, const MemoryOptions& options) {
  DramFiles files = presil::load_dram(file, "", options.set, options.share);
  files.part = presil::as_configured(files.part, files.dram);
  if (files.dram.ecc != presil::Ecc::none) refuse("{}: inline ECC cannot be embedded", file);
  return files;
}

int channels_of(const DramFiles& files, const MemoryOptions& options) {
  const std::int64_t all = files.dram.stacks * files.part.channels;
  const std::int64_t channels = options.channels == 0 ? all : options.channels;
  if (channels < 1 || channels > kMostChannels) {
    refuse("channels: expected 1 to {}, found {}", kMostChannels, channels);
  }
  return static_cast<int>(channels);
}

int atoms_of_line(const DramFiles& files, const MemoryOptions& options) {
  const auto atom = files.part.atom().count();
  if (options.line < atom || options.line > kLongestLine || options.line % atom != 0) {
    refuse("line: {} moves atoms of {} bytes; expected a multiple, found {}", files.part.name, atom,
           options.line);
  }
  if (options.line / atom > files.dram.controller.queue) {
    refuse("line: {} bytes are {} atoms, and the queue has {} entries", options.line,
           options.line / atom, files.dram.controller.queue);
  }
  if (options.interleave < options.line || options.interleave > kLongestLine ||
      options.interleave % options.line != 0) {
    refuse("interleave: expected a multiple of the line, {} bytes, found {}", options.line,
           options.interleave);
  }
  return static_cast<int>(options.line / atom);
}

}  // namespace

struct MemorySystem::State {
  /// A line under way; its place in `lines` is the tag of its atoms.
  struct Line {
    std::uint64_t tag = 0, order = 0;
    Tick sent = 0, done = 0;  // done: the end of the data of the atoms served so far
    int atoms_left = 0;
    bool write = false;
  };
  /// A line whose last atom has been served.
  struct Done {
    Tick tick = 0;
    std::uint64_t order = 0;
    std::uint32_t line = 0;
    bool operator>(const Done& other) const {
      return std::pair(tick, order) > std::pair(other.tick, other.order);
    }
  };
  struct Place {
    std::size_t channel = 0;
    int pc = 0;
    std::int64_t atom = 0;  // of the pseudo-channel
  };

  State(const DramFiles& from, const MemoryOptions& options);

  Place locate(std::uint64_t address) const;
  bool send(std::uint64_t address, bool write, std::uint64_t tag);
  std::uint64_t next_event() const;
  void advance(std::uint64_t time);
  Statistics statistics();

  Tick tick_at(std::uint64_t at) const;
  void run(std::size_t channel);
  void note(const Served& atom);
  void complete(const Done& done);
  std::uint32_t take_line();

  const MemoryPart part;
  const BitsPerSecond rate;
  const DramClock clock;
  const presil::dram::AddressMap map;
  const int line, interleave, atoms_of_line;
  std::uint64_t capacity = 0;

  std::uint64_t now = 0;
  Tick tick = 0;  // the last one at or before now
  // A channel is moved on only when it has something to do (or is asked): it may be behind `tick`.
  std::vector<presil::embed::PortedChannel> channels;
  std::vector<Tick> due;              // by channel: nothing to be told happens before
  std::vector<std::uint8_t> refused;  // by channel: a bit for each pseudo-channel and direction
  Tick shortest_access = 0;           // from a RD or WR to the end of its data

  std::vector<Line> lines;
  std::vector<std::uint32_t> free_lines;
  std::uint64_t sent = 0;
  std::priority_queue<Done, std::vector<Done>, std::greater<>> done;
  std::vector<Served> served;
  std::vector<Completion> completions;

  std::uint64_t lines_read = 0, lines_written = 0;
  presil::dram::LatencyHistogram latency;
};

MemorySystem::State::State(const DramFiles& from, const MemoryOptions& options)
    : part(from.part),
      rate(from.dram.rate),
      clock(part.tick_clock(rate)),
      map(part.mapping, part),
      line(options.line),
      interleave(options.interleave),
      atoms_of_line(presilicon::atoms_of_line(from, options)) {
  const int count = channels_of(from, options);
  const auto stretches = static_cast<std::uint64_t>(map.atoms() * part.atom().count() / interleave);
  capacity = stretches * interleave * static_cast<std::uint64_t>(count * part.pseudo_channels);
  if (capacity == 0) refuse("interleave: {} bytes are more than a pseudo-channel has", interleave);
  channels.reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) {
    channels.emplace_back(part, rate, presil::dram::policy_of(from.dram));
  }
  due.assign(channels.size(), presil::dram::kNever);
  refused.assign(channels.size(), 0);
  const presil::dram::Channel& any = channels.front().channel();
  shortest_access = std::min(any.read_latency(), any.write_latency());
}

MemorySystem::State::Place MemorySystem::State::locate(std::uint64_t address) const {
  const auto start = address - address % line;
  const auto stretch = start / interleave;
  const auto row = stretch / channels.size();  // of stretches, one in each channel
  const auto pcs = static_cast<std::uint64_t>(part.pseudo_channels);
  const auto byte = row / pcs * interleave + start % interleave;
  return {stretch % channels.size(), static_cast<int>(row % pcs),
          static_cast<std::int64_t>(byte) / part.atom().count()};
}

bool MemorySystem::State::send(std::uint64_t address, bool write, std::uint64_t tag) {
  if (address >= capacity) refuse("address {:#x} is past the end, {:#x}", address, capacity);
  const Place at = locate(address);
  presil::embed::PortedChannel& channel = channels[at.channel];
  if (channel.now() < tick) run(at.channel);
  if (!channel.has_room(at.pc, write, atoms_of_line)) {
    refused[at.channel] |= static_cast<std::uint8_t>(1 << (2 * at.pc + write));
    return false;
  }
  const std::uint32_t slot = take_line();
  lines[slot] = {tag, sent++, tick, 0, atoms_of_line, write};
  for (int i = 0; i < atoms_of_line; ++i) {
    channel.accept(at.pc, map.locate(at.atom + i), write, slot);
  }
  due[at.channel] = channel.next_event();
  return true;
}

std::uint32_t MemorySystem::State::take_line() {
  if (free_lines.empty()) {
    free_lines.push_back(static_cast<std::uint32_t>(lines.size()));
    lines.emplace_back();
  }
  const std::uint32_t slot = free_lines.back();
  free_lines.pop_back();
  return slot;
}

std::uint64_t MemorySystem::State::next_event() const {
  Tick first = done.empty() ? presil::dram::kNever : done.top().tick;
  for (std::size_t i = 0; i < channels.size(); ++i) {
    // What is served at a tick completes an access later; an entry is free at once.
    first = std::min(first, due[i] + (refused[i] != 0 ? 0 : shortest_access));
  }
  if (first >= presil::dram::kNever) return kNever;
  return static_cast<std::uint64_t>(clock.edge(DramCycles(first)).count());
}

/// The last tick at or before a time.
Tick MemorySystem::State::tick_at(std::uint64_t at) const {
  const Picoseconds time(static_cast<std::int64_t>(at));
  const DramCycles next = clock.cycle_at(time);
  return next.count() - (clock.edge(next) > time ? 1 : 0);
}

void MemorySystem::State::advance(std::uint64_t time) {
  if (time < now) refuse("advance: time {} ps is before the present, {} ps", time, now);
  if (time > static_cast<std::uint64_t>(presil::kLongestDuration.count())) {
    refuse("advance: time {} ps is past {} ps", time, presil::kLongestDuration.count());
  }
  now = time;
  tick = tick_at(time);
  for (std::size_t i = 0; i < channels.size(); ++i) {
    if (due[i] <= tick) run(i);
  }
  completions.clear();
  for (; !done.empty() && done.top().tick <= tick; done.pop()) complete(done.top());
}

/// Moves a channel to the present.
void MemorySystem::State::run(std::size_t index) {
  presil::embed::PortedChannel& channel = channels[index];
  served.clear();
  channel.run_to(tick, served);
  for (const Served& atom : served) note(atom);
  due[index] = channel.next_event();
  for (int bit = 0; bit < 2 * part.pseudo_channels && refused[index] != 0; ++bit) {
    const auto mask = static_cast<std::uint8_t>(1 << bit);
    if (channel.has_room(bit / 2, bit % 2 != 0, atoms_of_line)) refused[index] &= ~mask;
  }
}

void MemorySystem::State::note(const Served& atom) {
  Line& l = lines[atom.tag];
  l.done = std::max(l.done, atom.done);
  if (--l.atoms_left == 0) done.push({l.done, l.order, atom.tag});
}

void MemorySystem::State::complete(const Done& last) {
  const Line& l = lines[last.line];
  const Picoseconds time = clock.edge(DramCycles(last.tick));
  completions.push_back({l.tag, static_cast<std::uint64_t>(time.count())});
  free_lines.push_back(last.line);
  if (l.write) {
    ++lines_written;
  } else {
    ++lines_read;
    latency.add(last.tick - l.sent);
  }
}

Statistics MemorySystem::State::statistics() {
  presil::dram::ChannelCounts counts;
  presil::dram::LogHash log_hash;
  for (std::size_t i = 0; i < channels.size(); ++i) {
    run(i);
    const presil::dram::Channel& channel = channels[i].channel();
    for (int pc = 0; pc < channel.pseudo_channels(); ++pc) counts += channel.counts(pc);
    log_hash.append(channel.log_hash());
  }
  const auto number = [&](Command c) { return static_cast<std::uint64_t>(counts.of(c)); };
  const double tick_ps = 1e12 / clock.frequency().count();
  Statistics s;
  s.lines_read = lines_read;
  s.lines_written = lines_written;
  s.ACT = number(Command::ACT);
  s.PREpb = number(Command::PREpb);
  s.PREab = number(Command::PREab);
  s.RD = number(Command::RD);
  s.WR = number(Command::WR);
  s.REFab = number(Command::REFab);
  s.REFpb = number(Command::REFpb);
  s.RFM = number(Command::RFM);
  s.row_hits = static_cast<std::uint64_t>(counts.hits);
  s.row_misses = static_cast<std::uint64_t>(counts.misses);
  s.row_conflicts = static_cast<std::uint64_t>(counts.conflicts);
  const double bytes = static_cast<double>(lines_read + lines_written) * line;
  if (now > 0) s.bandwidth = bytes / (static_cast<double>(now) * 1e-12);
  s.read_latency_mean = latency.mean() * tick_ps;
  s.read_latency_p50 = static_cast<double>(latency.percentile(0.5)) * tick_ps;
  s.read_latency_p99 = static_cast<double>(latency.percentile(0.99)) * tick_ps;
  s.read_latency_max = static_cast<double>(latency.max()) * tick_ps;
  s.log_hash = log_hash.value();
  return s;
}

// ---- the public face ----------------------------------------------------------------------------

MemorySystem::MemorySystem(const std::string& file, const MemoryOptions& options) {
  try {
    state_ = std::make_unique<State>(load(file, options), options);
  } catch (const presil::InputError& e) {
    throw Error(e.what());
  } catch (const presil::MissingInput& e) {
    throw Error(e.what());
  }
}

MemorySystem::~MemorySystem() = default;
MemorySystem::MemorySystem(MemorySystem&&) noexcept = default;
MemorySystem& MemorySystem::operator=(MemorySystem&&) noexcept = default;

std::uint64_t MemorySystem::capacity() const {
  return state_->capacity;
}
double MemorySystem::peak_bandwidth() const {
  const auto pins = static_cast<double>(state_->channels.size()) *
                    static_cast<double>(state_->part.pseudo_channels * state_->part.width);
  return pins * state_->rate.count() / 8;
}
int MemorySystem::line() const {
  return state_->line;
}
std::uint64_t MemorySystem::now() const {
  return state_->now;
}
bool MemorySystem::send(std::uint64_t address, bool write, std::uint64_t tag) {
  return state_->send(address, write, tag);
}
std::uint64_t MemorySystem::next_event() const {
  return state_->next_event();
}
const std::vector<Completion>& MemorySystem::advance(std::uint64_t time) {
  state_->advance(time);
  return state_->completions;
}
std::uint64_t MemorySystem::pending() const {
  return state_->sent - state_->lines_read - state_->lines_written;
}
Statistics MemorySystem::statistics() const {
  return state_->statistics();
}

}  // namespace presilicon

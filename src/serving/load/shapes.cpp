#include "serving/load/shapes.h"

#include <fmt/format.h>

#include "base/error.h"
#include "serving/load/streams.h"

namespace presil::serving {
namespace {

constexpr std::int64_t kBlock = 16;  // tokens that a name of a drawn prompt stands for
constexpr std::uint64_t kMostTurns = 1024;

}  // namespace

TraceShapes::TraceShapes(TraceFile file, std::int64_t repeat)
    : file_(std::move(file)), trace_(file_.path, file_.name), rounds_left_(repeat - 1) {
  read_on();
}

void TraceShapes::read_on() {
  const Nanoseconds last = row_.arrival;
  if (trace_.next(row_)) {
    ++requests_;
    return;
  }
  more_ = rounds_left_ > 0;
  if (!more_) return;
  --rounds_left_;
  ++round_;
  // The next round follows after the mean gap, so that the mean rate stays.
  const std::int64_t gap = requests_ > 1 ? last.count() / (requests_ - 1) : 0;
  if (last.count() + gap > (kLongestService - round_start_).count()) {
    throw InputError(fmt::format("{}: round {} would begin after 146 years", file_.name, round_));
  }
  round_start_ += last + Nanoseconds(gap);
  trace_ = Trace(file_.path, file_.name);
  requests_ = trace_.next(row_) ? 1 : 0;
}

Request TraceShapes::next(const Turn&) {
  Request r;
  r.arrival = round_start_ + row_.arrival;
  r.prompt_tokens = row_.prompt_tokens;
  r.output_tokens = row_.output_tokens;
  r.prefix = std::move(row_.prefix);
  r.prefix_block = r.prefix.empty() ? 0 : trace_.prefix_block();
  if (round_ > 0) {
    for (std::uint64_t& name : r.prefix) {
      name = Draws(name, stream::text, static_cast<std::uint64_t>(round_)).bits();
    }
  }
  read_on();
  return r;
}

DrawnShapes::DrawnShapes(const LoadSpec& spec, const std::filesystem::path& home,
                         std::uint64_t seed)
    : prompt_(spec.lengths->prompt, LengthSpec::Side::prompt, home),
      output_(spec.lengths->output, LengthSpec::Side::output, home),
      pairs_(spec.lengths->prompt.kind == LengthSpec::Kind::empirical &&
             spec.lengths->prompt.file == spec.lengths->output.file),
      shared_(spec.shared_prefix),
      converses_(spec.sessions.turns > 1),
      seed_(seed) {}

Request DrawnShapes::next(const Turn& turn) {
  const auto conversation = static_cast<std::uint64_t>(turn.conversation);
  const std::uint64_t which = conversation * kMostTurns + static_cast<std::uint64_t>(turn.number);
  const std::uint64_t output_stream = pairs_ ? stream::prompt : stream::output;
  Request r;
  r.prompt_tokens = (turn.number == 0 ? shared_.tokens : turn.context) +
                    prompt_.draw(Draws(seed_, stream::prompt, which));
  r.output_tokens = output_.draw(Draws(seed_, output_stream, which));
  if (converses_) r.session = turn.conversation;

  const std::int64_t shared = shared_.tokens / kBlock;
  const std::int64_t named = converses_ ? r.prompt_tokens / kBlock : shared;
  if (named == 0) return r;
  const std::uint64_t group =
      Draws(seed_, stream::group, conversation).below(static_cast<std::uint64_t>(shared_.groups));
  // Texts of groups and of conversations are named apart: by an even and an odd number.
  Draws of_group(seed_, stream::text, 2 * group);
  Draws of_conversation(seed_, stream::text, 2 * conversation + 1);
  r.prefix_block = kBlock;
  r.prefix.reserve(static_cast<std::size_t>(named));
  for (std::int64_t i = 0; i < named; ++i) {
    r.prefix.push_back(i < shared ? of_group.bits() : of_conversation.bits());
  }
  return r;
}

}  // namespace presil::serving

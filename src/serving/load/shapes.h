// What is asked, whenever it is asked: tokens and the text that requests share.
#pragma once

#include <cstdint>
#include <filesystem>

#include "serving/load/load.h"
#include "serving/load/trace.h"
#include "serving/request.h"

namespace presil::serving {

/// Which request of which conversation. Of requests that are none's, each is one of its own.
struct Turn {
  std::int64_t conversation = 0;
  std::int64_t number = 0;
  std::int64_t context = 0;  // tokens said so far
};

class Shapes {
 public:
  virtual ~Shapes() = default;
  virtual bool more() const = 0;
  /// A request without id; its arrival is the trace's, or 0. Requires more().
  virtual Request next(const Turn& turn) = 0;
};

/// The requests of a trace in order of the file, round after round. The text of each round is new:
/// its blocks have other names.
class TraceShapes : public Shapes {
 public:
  TraceShapes(TraceFile file, std::int64_t repeat);
  bool has_arrivals() const { return trace_.has_arrivals(); }
  bool more() const override { return more_; }
  Request next(const Turn& turn) override;

 private:
  void read_on();

  TraceFile file_;
  Trace trace_;
  std::int64_t rounds_left_;  // behind this one
  std::int64_t round_ = 0;
  std::int64_t requests_ = 0;  // of this round, read
  Nanoseconds round_start_;
  TraceRow row_;
  bool more_ = true;
};

/// Requests that are drawn, without end. A conversation is the same whatever serves it, and however
/// fast.
class DrawnShapes : public Shapes {
 public:
  DrawnShapes(const LoadSpec& spec, const std::filesystem::path& home, std::uint64_t seed);
  bool more() const override { return true; }
  Request next(const Turn& turn) override;

 private:
  Lengths prompt_;
  Lengths output_;
  bool pairs_;  // both come from one row of one file
  SharedPrefix shared_;
  bool converses_;
  std::uint64_t seed_;
};

}  // namespace presil::serving

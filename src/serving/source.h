// Where requests come from: one at a time, in order of arrival, however many there are.
#pragma once

#include <optional>

#include "serving/request.h"

namespace presil::serving {

class RequestSource {
 public:
  virtual ~RequestSource() = default;
  /// The next request, with arrival not before that of the last; nothing when there are no more.
  /// Throws InputError with file and line for a trace that is not whole.
  virtual std::optional<Request> next() = 0;
  /// Told when a request, known by its id, ends. Sources with closed loops answer with when their
  /// user asks again (by a later next()); others do nothing.
  virtual void ended(const Request& request, Nanoseconds at) {
    (void)request;
    (void)at;
  }
  /// When the next request comes, or kLongestService while it waits for one to end, or there is
  /// none.
  virtual Nanoseconds next_arrival() const = 0;
};

}  // namespace presil::serving

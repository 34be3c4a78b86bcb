#include "base/parallel.h"

#include <atomic>
#include <exception>
#include <mutex>

#include <tbb/parallel_for.h>

namespace presil {

void parallel_each(std::size_t count, const std::function<void(std::size_t)>& body) {
  std::atomic<std::size_t> failed = count;  // the smallest number that threw
  std::exception_ptr error;
  std::mutex mutex;
  // Nothing is thrown through TBB: it would cancel nested loops, which then return unfinished and
  // say nothing.
  tbb::parallel_for(std::size_t{0}, count, [&](std::size_t i) {
    if (i > failed) return;
    try {
      body(i);
    } catch (...) {
      const std::scoped_lock lock(mutex);
      if (i > failed) return;
      failed = i;
      error = std::current_exception();
    }
  });
  if (error) std::rethrow_exception(error);
}

}  // namespace presil

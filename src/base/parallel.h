// Independent pieces of work on all threads, with the failures of a plain loop.
#pragma once

#include <cstddef>
#include <functional>

namespace presil {

/// Calls body(0) to body(count - 1), in any order and side by side; may be nested. When some throw,
/// the exception of the smallest number is thrown, whatever the number of threads, once everything
/// that was begun has ended. Pieces with larger numbers may then not have been called.
void parallel_each(std::size_t count, const std::function<void(std::size_t)>& body);

}  // namespace presil

// Three kinds of "no".
//
// InputError: the user can mend it; it carries every diagnostic of the file, not the first only.
// Infeasible: an answer ("the model does not fit, by 3 GB"), returned with tl::expected and stored
// like any other result. CHECK: ours to mend. Libraries return or throw; only main prints and
// exits.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

namespace presil {

/// One complaint about one place of an input. `file` may also name a command-line argument.
struct Diagnostic {
  std::string file;
  int line = 0;    // 1-based; 0: the file as a whole
  int column = 0;  // 1-based
  int length = 1;  // characters to underline
  std::string message;
  std::string source_line;  // the text of `line`, for the caret
};

/// "file:line:column: error: message", the source line and a caret under it.
std::string render(const Diagnostic& diagnostic);

/// Bad input (exit 2). `diagnostics()` is never empty.
class InputError : public std::runtime_error {
 public:
  explicit InputError(std::vector<Diagnostic> diagnostics);
  explicit InputError(const std::string& message);
  const std::vector<Diagnostic>& diagnostics() const { return diagnostics_; }

 private:
  std::vector<Diagnostic> diagnostics_;
};

/// A file, or a fetched artefact, that is not there or is not what it should be (exit 3).
class MissingInput : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A deadlock, or a limit that the caller set, was reached (exit 4).
class LimitReached : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Ctrl-C (exit 130).
class Interrupted : public std::runtime_error {
 public:
  Interrupted() : std::runtime_error("interrupted") {}
};

/// A broken promise of our own (exit 5).
class InternalError : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

/// A design that cannot do the work: an answer (exit 1). `reason` says by how much, `remedy` what
/// would do.
struct Infeasible {
  std::string reason;
  std::string remedy;
};

template <class T>
using Feasible = tl::expected<T, Infeasible>;

[[noreturn]] void fail_check(const char* condition, std::string_view promise, const char* file,
                             int line);

#define CHECK(condition, promise)                                      \
  do {                                                                 \
    if (!(condition)) {                                                \
      ::presil::fail_check(#condition, (promise), __FILE__, __LINE__); \
    }                                                                  \
  } while (false)

}  // namespace presil

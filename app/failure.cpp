#include "app/failure.h"

#include <cstdio>
#include <new>
#include <string>
#include <system_error>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "explore/parts_json.h"

namespace presil::app {
namespace {

struct Failure {
  int exit_code;
  std::vector<Diagnostic> errors;
  std::string advice;
};

Failure failure(int exit_code, std::string message, std::string advice = {}) {
  return {exit_code, InputError(message).diagnostics(), std::move(advice)};
}

/// Requires that an exception is being handled.
Failure current_failure() {
  try {
    throw;
  } catch (const InputError& e) {
    const std::size_t n = e.diagnostics().size();
    return {2, e.diagnostics(), n > 1 ? fmt::format("{} errors\n", n) : ""};
  } catch (const MissingInput& e) {
    return failure(3, e.what());
  } catch (const LimitReached& e) {
    return failure(4, e.what());
  } catch (const Interrupted& e) {
    return failure(130, e.what());
  } catch (const std::bad_alloc&) {
    return failure(4, "not enough memory on this machine");
  } catch (const std::system_error& e) {  // a file or a stream of this machine: full, not ours
    return failure(4, e.what());
  } catch (const std::exception& e) {
    return failure(5, fmt::format("internal: {}", e.what()),
                   "This is a bug of presil's. Please report the command and this message.\n");
  }
}

}  // namespace

int explain_failure(bool json) {
  const Failure f = current_failure();
  for (const Diagnostic& d : f.errors) std::fputs(render(d).c_str(), stderr);
  std::fputs(f.advice.c_str(), stderr);
  if (!json) return f.exit_code;
  Json object = {
      {"schema", "presil/error/1"}, {"exit_code", f.exit_code}, {"errors", errors_json(f.errors)}};
  const std::string text = object.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
  std::fputs(text.c_str(), stdout);
  return f.exit_code;
}

}  // namespace presil::app

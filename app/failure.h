// What a user sees when no answer could be given: sentences on stderr, with --json the same as one
// object on stdout, and the exit code.
#pragma once

namespace presil::app {

/// Explains the exception that is being handled; returns its exit code. With `json` it prints
/// {"schema": "presil/error/1", "exit_code", "errors": [{"file", "line", "column", "message"}]}.
int explain_failure(bool json);

}  // namespace presil::app

// Are our values right? The same model on the same tokens, by us and by an independent reference.
//
// llama.cpp is followed step by step (teacher-forced): each step is given what llama.cpp chose, so
// one flipped choice does not make all that follow another text. On weights in F32 both have to
// agree to 1e-5 in every probability. On quantised weights llama.cpp differs from itself: a last
// bit decides how an activation is rounded, and its builds for different CPUs add in different
// orders. By how much they differ on the same prompts, the spread, is measured beside, and is the
// measure of our difference. docs/verify.md says what is claimed.
//
// NumPy computes in float64 from the same file, and our fp32 numerics have to agree to 1e-5 of the
// logits' norm.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/error.h"
#include "explore/agreement.h"
#include "explore/run.h"

namespace presil {

enum class Reference { llama_cpp, numpy };

struct VerifyRequest {
  Reference reference = Reference::llama_cpp;
  std::vector<std::filesystem::path> weights;  // GGUF files
  std::filesystem::path prompts;               // JSON: {"prompts": [{"name", "text"}]}
  std::int64_t tokens = 64;                    // steps of each prompt
  std::string chip = "artemis-hbm3e";          // whose program is run: its tiles order the sums
};

struct Verification {
  VerifyRequest request;
  std::vector<std::string> builds;  // of llama.cpp: the reference, then those of the spread
  std::vector<VerifiedPrompt> prompts;
  std::vector<Claim> claims;

  bool holds() const;
};

/// Throws InputError for files that are not what they should be, MissingInput where the reference
/// cannot be had; Infeasible when a model does not fit the chip.
Feasible<Verification> verify_values(const VerifyRequest& request, const Places& places);

}  // namespace presil

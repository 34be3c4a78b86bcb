// For tests: SmolLM2-135M, where it has been fetched.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <optional>

namespace presil::testing {

inline constexpr const char* kNoSmolLm2 = "no smollm2-135m.gguf in PRESIL_MODEL_CACHE";

/// Its GGUF; nothing: the test is skipped, with the sentence above.
inline std::optional<std::filesystem::path> smollm2_file() {
  const char* cache = std::getenv("PRESIL_MODEL_CACHE");
  const auto file = std::filesystem::path(cache == nullptr ? "." : cache) / "smollm2-135m.gguf";
  return std::filesystem::exists(file) ? std::optional(file) : std::nullopt;
}

}  // namespace presil::testing

#include "store/key.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/sha256.h"

namespace presil {

std::string content_key(std::string_view config_json, std::string_view tool_version,
                        std::uint64_t seed) {
  // nlohmann::json (not ordered_json) keeps its keys sorted: one text per value.
  const auto config = nlohmann::json::parse(config_json, nullptr, /*allow_exceptions=*/false);
  CHECK(!config.is_discarded(), "a configuration is JSON");
  const std::string canonical = config.dump();
  // Each part is preceded by its length, so that no two lists of parts give one text.
  return sha256(fmt::format("{}:{},{}:{},{}", canonical.size(), canonical, tool_version.size(),
                            tool_version, seed));
}

}  // namespace presil

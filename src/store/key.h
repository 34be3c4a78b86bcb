// The name of a result is the hash of everything it depends on.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace presil {

/// The content key of a result: SHA-256 over the configuration, the tool's version and the seed, as
/// 64 hex digits. `config_json` is the resolved configuration; the order of its keys and its white
/// space do not matter.
std::string content_key(std::string_view config_json, std::string_view tool_version,
                        std::uint64_t seed);

}  // namespace presil

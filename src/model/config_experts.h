// The parts of a config.json that only some families have: experts, latent attention, and layers
// that see different windows.
#pragma once

#include <string_view>
#include <vector>

#include "base/fields.h"
#include "model/architecture.h"

namespace presil {

/// Reads the experts, and what else sets `family` ("mixtral", "qwen3_moe", "gpt_oss",
/// "llama4_text", "deepseek_v3") apart, into `a`, whose shape is known. Does nothing for dense
/// ones.
void read_family_extras(Fields& fields, std::string_view family, Architecture& a);

/// Reads layer_types: windows by layer, or one sliding_window where all are alike. `otherwise` are
/// those of a file that does not say.
void read_layer_types(Fields& fields, std::vector<Window> otherwise, Architecture& a);

/// The keys that are read here.
bool is_key_of_extras(std::string_view key);

}  // namespace presil

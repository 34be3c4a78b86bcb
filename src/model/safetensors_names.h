// What Hugging Face checkpoints call the tensors that we know by GGUF's names.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace presil {

/// "model.layers.3.self_attn.q_proj.weight" is "blk.3.attn_q.weight". Nothing for other names.
std::optional<std::string> gguf_name(std::string_view checkpoint_name);

/// The way back, for messages. A name that is not GGUF's is returned as it is.
std::string checkpoint_name(std::string_view gguf_name);

/// The tensor that `name` holds the scales of: "X.weight_scale" and "X.weight_scale_inv" (which
/// multiply, too) belong to "X.weight". Nothing for other names.
std::optional<std::string> scaled_tensor(std::string_view name);

/// Whether a tensor changes nothing here: scales of quantised activations and caches, which the
/// numerics choose; rotary frequencies, which follow from the config.
bool is_ignored(std::string_view name);

}  // namespace presil

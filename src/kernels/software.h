// A serving engine, as a file software/NAME.yaml describes it: which library's kernels run, how
// they are launched, and what is fused into what. A prediction stands for one of them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/fields.h"
#include "chip/chip.h"

namespace presil::kernels {

struct Software {
  std::string name;
  std::string version;  // that its constants were measured on
  std::string doc;
  /// What measured rows call it, and its constants' scope; empty: no kernel library, every kernel
  /// is timed tile by tile as the program has it.
  std::string engine;
  std::string collectives = "nccl";  // scope of the constants of collectives
  LaunchMode launch = LaunchMode::graph;
  std::int64_t kv_page = 1;  // tokens of a page of the KV cache
  // What has no kernel of its own in this engine.
  bool fuses_rope = false;    // RoPE and the cache's append are inside the attention call
  bool fuses_swiglu = false;  // SwiGLU is in the epilogue of the product before it

  bool has_laws() const { return !engine.empty(); }
};

/// Throws InputError with every complaint.
Software read_software(const Node& root);

/// `name` is a path, or the name of a file in home/software. Throws as load_chip does.
Software load_software(const std::string& name, const std::filesystem::path& home);

/// Describes the schema, for `presil schema software`.
Schema software_schema();

}  // namespace presil::kernels

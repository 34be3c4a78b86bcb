#include "kernels/software.h"

#include "base/describe.h"
#include "chip/library.h"

namespace presil::kernels {
namespace fs = std::filesystem;
namespace {

constexpr Choice<LaunchMode> kLaunches[] = {
    {"eager", LaunchMode::eager}, {"stream", LaunchMode::stream}, {"graph", LaunchMode::graph}};

Software read_fields(Fields& f) {
  Software s;
  s.name = f.text("name", "name of the engine, as its file is called");
  s.version = f.text_or("version", "that its constants were measured on", "");
  s.doc = f.text("doc", "what a prediction with it stands for");
  s.engine = f.text_or("engine",
                       "what measured rows call it: the scope of its constants in "
                       "software/constants.yaml; none: tile by tile, as the program has it",
                       "");
  s.collectives = f.text_or("collectives", "scope of the constants of collectives", s.collectives);
  s.launch = f.choice<LaunchMode>("launch", "how kernels are launched", kLaunches);
  s.kv_page = f.integer_or("kv_page", "tokens of a page of the KV cache", 1, {1, 65536});
  s.fuses_rope =
      f.flag_or("fuses_rope", "RoPE and the cache's append are inside the attention call", false);
  s.fuses_swiglu = f.flag_or("fuses_swiglu", "SwiGLU is in the epilogue of its product", false);
  return s;
}

}  // namespace

Software read_software(const Node& root) {
  Sources sources;
  return read_file(root, "software", read_fields, &sources);
}

Software load_software(const std::string& name, const fs::path& home) {
  std::error_code error;
  fs::path file = name;
  if (!fs::is_regular_file(file, error)) {
    file = home / "software" / (name + ".yaml");
    if (!fs::is_regular_file(file, error)) refuse_name("software", "software", name, home);
  }
  return read_software(read_document(file, Syntax::yaml));
}

Schema software_schema() {
  return describe_file("software", "a serving engine", read_fields);
}

}  // namespace presil::kernels

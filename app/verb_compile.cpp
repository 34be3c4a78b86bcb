// compile: the program of a model on a chip.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/output.h"
#include "explore/prepare.h"
#include "program/mapping_file.h"
#include "program/text.h"

namespace presil::app {

int compile_verb(const Common& common, const RunRequest& base, const std::string& emit) {
  RunRequest request = base;
  request.overrides = common.set;
  const auto prepared = prepare(request, common.places);
  if (!prepared) return answer_no(common, request, prepared.error());
  const Program& p = prepared->program;
  if (!common.json && emit == "text") {
    fmt::print("{}", print(p));
    return 0;
  }
  if (!common.json && emit == "mapping") {
    fmt::print("{}", print_mappings(p));
    return 0;
  }
  std::int64_t kernels = 0;
  Json blocks = Json::array();
  for (const Block& block : p.blocks) {
    kernels += block.repeat * static_cast<std::int64_t>(block.kernels.size());
    Json names = Json::array();
    for (const Kernel& k : block.kernels) {
      names.push_back({{"name", k.name}, {"op", to_string(k.op)}, {"mappings", k.mappings.size()}});
    }
    blocks.push_back({{"name", block.name}, {"repeat", block.repeat}, {"kernels", names}});
  }
  const Json json = {{"schema", "presil/compile/1"},
                     {"model", p.model},
                     {"chip", p.chip},
                     {"kernels", kernels},
                     {"tensors", p.tensors.size()},
                     {"weight_footprint_bytes", p.weight_footprint.count()},
                     {"blocks", blocks},
                     {"program", print(p)},
                     {"mapping", print_mappings(p)}};
  if (common.json || emit == "json") {
    print_json(common, json);
  } else {
    fmt::print("kernels          {}\ntensors          {}\nweight_footprint {}\n", kernels,
               p.tensors.size(), to_string(p.weight_footprint));
  }
  return 0;
}

}  // namespace presil::app

// Bytes as YAML and as JSON, given to every reader of our own files and of config.json.
#include <memory>

#include "bad_input.h"
#include "base/document.h"
#include "chip/chip.h"
#include "chip/dram_file.h"
#include "chip/memory_part.h"
#include "chip/node.h"
#include "chip/package.h"
#include "model/architecture.h"
#include "serving/load/load.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using presil::fuzz::may_refuse;
  const auto source = std::make_shared<const presil::Source>(
      presil::Source{"input", std::string(reinterpret_cast<const char*>(data), size)});
  may_refuse([&] {
    const presil::Node root = presil::parse_document(source, presil::Syntax::yaml);
    may_refuse([&] { presil::read_chip(root); });
    may_refuse([&] { presil::read_memory_part(root); });
    may_refuse([&] { presil::read_dram_file(root); });
    may_refuse([&] { presil::read_process_node(root); });
    may_refuse([&] { presil::read_package_kind(root); });
    may_refuse([&] {
      presil::Diagnostics log;
      presil::Fields fields(root, "", log);
      presil::serving::read_load(fields);
      log.throw_if_any();
    });
  });
  may_refuse([&] {
    const presil::Node root = presil::parse_document(source, presil::Syntax::json);
    presil::read_config(root, "input");
  });
  return 0;
}

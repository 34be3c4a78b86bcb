#include "program/mapping_file.h"

#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "program/loop_text.h"

namespace presil {
namespace {

// Beyond any axis, and safe to multiply.
constexpr std::int64_t kLargestTile = std::int64_t{1} << 31;
constexpr std::int64_t kMostSplit = 1024;

struct Written {
  std::string kernel;
  std::vector<std::string> loops;
  Mapping mapping;
};

Written read_mapping(Fields& f) {
  constexpr auto upto = [](std::int64_t most) { return Range{1, static_cast<double>(most)}; };
  Written w;
  w.kernel = f.text("kernel", "Block and kernel, as --emit mapping prints them: layer.qkv");
  w.mapping.max_m = f.integer_or("rows", "For steps of at most so many rows; without it: of any",
                                 kAnyRows, upto(kLargestTile));
  w.loops = f.texts_or_none("loops", "The loop nest, outermost first, as \"n/64 cores\"");
  w.mapping.split_k =
      f.integer_or("split_k", "Cores that share the k range of one tile", 1, upto(kMostSplit));
  w.mapping.buffers = f.integer_or(
      "buffers", "Of each operand in a core: with one it loads or computes", 2, upto(2));
  w.mapping.last_n = f.integer_or("last_n", "n of the tiles of a last wave that leaves cores idle",
                                  0, {0, static_cast<double>(kLargestTile)});
  return w;
}

std::vector<Written> read_mappings(Fields& f) {
  return f.maps_or_none("mappings", "What is pinned; other kernels are searched", read_mapping);
}

}  // namespace

const Place& PinnedMapping::place(std::string_view key) const {
  const Node* field = node.find(key);
  return field != nullptr ? field->place : node.place;
}

const Place& PinnedMapping::place(std::string_view key, std::size_t index) const {
  const Node* field = node.find(key);
  if (field == nullptr || index >= field->items.size()) return place(key);
  return field->items[index].place;
}

std::vector<PinnedMapping> read_mapping_file(const Node& root) {
  const std::vector<Written> list = read_file(root, "mapping", read_mappings);
  std::vector<PinnedMapping> pins;
  Diagnostics log;
  for (std::size_t i = 0; i < list.size(); ++i) {
    PinnedMapping pin{list[i].kernel, list[i].mapping, root.find("mappings")->items[i]};
    if (pin.node.place.line == 0) pin.node.place = pin.node.find("kernel")->place;
    for (std::size_t l = 0; l < list[i].loops.size(); ++l) {
      const auto loop = parse_loop(list[i].loops[l]);
      if (loop && loop->tile <= kLargestTile) {
        pin.mapping.loops.push_back(*loop);
        continue;
      }
      log.add(pin.place("loops", l),
              fmt::format("mappings.loops: expected a loop such as \"n/64 cores\" or \"k/256 "
                          "time\", found \"{}\"",
                          list[i].loops[l]));
    }
    pins.push_back(std::move(pin));
  }
  log.throw_if_any();
  return pins;
}

Schema mapping_file_schema() {
  Schema schema;
  Fields fields(schema);
  read_header(fields, "mapping");
  read_mappings(fields);
  return schema;
}

std::vector<std::vector<std::string>> kernel_labels(const Program& program) {
  std::map<std::string_view, int> seen;
  std::vector<std::vector<std::string>> labels;
  for (const Block& block : program.blocks) {
    const int n = ++seen[block.name];
    const std::string name = n == 1 ? block.name : fmt::format("{}#{}", block.name, n);
    labels.emplace_back();
    for (const Kernel& k : block.kernels) {
      labels.back().push_back(fmt::format("{}.{}", name, k.name));
    }
  }
  return labels;
}

std::string print_mappings(const Program& program) {
  std::string text =
      fmt::format("# {} on {}\npresil: mapping/1\nmappings:\n", program.model, program.chip);
  const auto labels = kernel_labels(program);
  for (std::size_t b = 0; b < program.blocks.size(); ++b) {
    for (std::size_t k = 0; k < program.blocks[b].kernels.size(); ++k) {
      for (const Mapping& m : program.blocks[b].kernels[k].mappings) {
        std::vector<std::string> loops;
        for (const Loop& loop : m.loops) loops.push_back(print(loop));
        text += fmt::format("  - {{kernel: {}", labels[b][k]);
        if (m.max_m != kAnyRows) text += fmt::format(", rows: {}", m.max_m);
        text += fmt::format(", loops: [{}]", fmt::join(loops, ", "));
        if (m.split_k > 1) text += fmt::format(", split_k: {}", m.split_k);
        if (m.buffers != 2) text += fmt::format(", buffers: {}", m.buffers);
        if (m.last_n > 0) text += fmt::format(", last_n: {}", m.last_n);
        text += "}\n";
      }
    }
  }
  return text;
}

}  // namespace presil

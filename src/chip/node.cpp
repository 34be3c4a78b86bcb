#include "chip/node.h"

#include <array>

#include "base/describe.h"

namespace presil {
namespace {

// Engines multiply plain formats; block formats are stored, and multiplied as int8.
constexpr std::array kMultiplied = {Format::fp32,     Format::tf32,     Format::fp16,
                                    Format::bf16,     Format::fp8_e4m3, Format::fp8_e5m2,
                                    Format::fp4_e2m1, Format::int8,     Format::int4};

EventTable read_energy(Fields& f) {
  EventTable e;
  e.mac = f.map("mac", "one multiply-accumulate, by operand format", [](Fields& formats) {
    std::map<Format, Band> by_format;
    for (const Format format : kMultiplied) {
      by_format[format] =
          formats.band(to_string(format), "one multiply-accumulate", Dimension::joules);
    }
    return by_format;
  });
  e.vector_flop = f.band("vector_flop", "one fp32 operation", Dimension::joules);
  e.exponential = f.band("exponential", "one exponential", Dimension::joules);
  e.local_bit = f.band("local_bit", "a bit of a core's memory", Dimension::joules_per_bit);
  e.shared_bit = f.band("shared_bit", "a bit of shared memory", Dimension::joules_per_bit);
  e.hop_bit = f.band("hop_bit", "a bit over one hop", Dimension::joules_per_bit);
  return e;
}

ProcessNode read_fields(Fields& f) {
  ProcessNode n;
  n.name = f.text("name", "name of the node, as its file is called");
  n.foundry = f.text("foundry", "who runs it");
  n.year = f.text_or("year", "of volume production", "");
  n.wafer_price = f.band("wafer_price", "of a processed wafer", Dimension::usd);
  n.defect_density =
      f.band("defect_density", "D0 in volume production", Dimension::per_square_centimetre);
  n.cluster_alpha = f.number("cluster_alpha", "clustering of defects", {1, 50});
  n.wafer_diameter = f.quantity<Millimetres>("wafer_diameter", "of the wafer");
  n.edge_exclusion =
      f.quantity<Millimetres>("edge_exclusion", "ring without dies", Sign::non_negative);
  n.scribe = f.quantity<Millimetres>("scribe", "line between dies", Sign::non_negative);
  n.reticle = f.quantity<SquareMillimetres>("reticle", "largest die one exposure can print");
  n.logic_area = f.quantity<SquareMillimetres>("logic_area", "of a million logic transistors");
  n.sram_bitcell = f.quantity<SquareMillimetres>("sram_bitcell", "of one bit");
  n.mask_set = f.band("mask_set", "of one design", Dimension::usd);
  n.cycle_time = f.maybe<Seconds>("cycle_time", "from a wafer's start to its end");
  n.energy = f.map("energy", "of one event, at nominal voltage", read_energy);
  f.require(n.edge_exclusion * 4 < n.wafer_diameter, "edge_exclusion",
            "expected less than a quarter of the wafer");
  return n;
}

}  // namespace

ProcessNode read_process_node(const Node& root) {
  Sources sources;
  ProcessNode node = read_file(root, "node", read_fields, &sources);
  node.sources = std::move(sources);
  return node;
}

Schema process_node_schema() {
  return describe_file("node", "a process node", read_fields);
}

}  // namespace presil

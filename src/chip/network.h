// A scale-out network as its file in networks/ describes it: what joins chips, or groups of chips
// that links join, when a group is larger than those links reach.
//
// A node is what the links (or nothing) join inside. It sends through adapters: network cards, or
// for chips in pairs the PCIe slots of their host. The ranks of a group that sit in one node reach
// as many adapters as there are neighbours of those ranks, so a lone rank sends through one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/document.h"
#include "base/fields.h"
#include "base/units.h"

namespace presil {

struct ScaleOut {
  std::string name;
  BytesPerSecond bandwidth;            // of one adapter, one direction
  std::int64_t adapters = 1;           // of a node
  std::int64_t chips_per_adapter = 1;  // chips that share the adapter next to them
  Seconds latency;                     // from adapter to adapter, switches included
  bool in_host = false;                // the PCIe of one host, which joins pairs of its chips
  bool direct = true;  // adapters read chips' memory; else data is staged in the host's memory
  Band energy;         // J/bit sent, both ends and the switches between
  std::optional<Band> price;  // USD of an adapter with its share of switches and cables
  Sources sources;

  /// Adapters that `ranks` chips of one node reach.
  std::int64_t adapters_reached(std::int64_t ranks) const;
  /// Out of one node, by those adapters.
  BytesPerSecond out_of_node(std::int64_t ranks) const;
};

/// Validates and converts a parsed network file. Throws InputError with every complaint.
ScaleOut read_scale_out(const Node& root);

/// Describes the schema, for `presil schema network`.
Schema scale_out_schema();

}  // namespace presil

// A process node as its file in nodes/ describes it: what a wafer costs and how many defects it
// has, how dense logic and SRAM are, and what an operation's bare arithmetic costs in joules.
// Prices, defect densities and energies are bands: foundries publish none of them.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/document.h"
#include "base/fields.h"
#include "base/number_format.h"
#include "base/units.h"

namespace presil {

/// Joules of one event at nominal voltage, without the control around it (Power::control_overhead).
struct EventTable {
  std::map<Format, Band> mac;  // J, by operand format, accumulation included
  Band vector_flop;            // J, fp32
  Band exponential;            // J
  Band local_bit;              // J/bit read or written in a core's memory
  Band shared_bit;             // J/bit read or written in shared memory
  Band hop_bit;                // J/bit carried over one hop of the network
};

struct ProcessNode {
  std::string name;
  std::string foundry;
  std::string year;
  Band wafer_price;      // USD
  Band defect_density;   // 1/cm2
  double cluster_alpha;  // of the negative binomial yield; smaller means defects lie in clusters
  Millimetres wafer_diameter;
  Millimetres edge_exclusion;    // ring of the wafer without dies
  Millimetres scribe;            // between dies
  SquareMillimetres reticle;     // the largest die
  SquareMillimetres logic_area;  // of a million transistors
  SquareMillimetres sram_bitcell;
  Band mask_set;                      // USD
  std::optional<Seconds> cycle_time;  // from a wafer's start to its end
  EventTable energy;
  Sources sources;
};

/// Validates and converts a parsed node file. Throws InputError with every complaint.
ProcessNode read_process_node(const Node& root);

/// Describes the schema, for `presil schema node`.
Schema process_node_schema();

}  // namespace presil

// A scenario: a question about a service, a device, a fleet or a bill, as its file in scenarios/
// asks it. Each block belongs to the stage that answers it and is read there; this file puts them
// together.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/fields.h"
#include "chip/inputs.h"
#include "explore/cost_blocks.h"
#include "explore/run_request.h"
#include "fleet/spec.h"
#include "serving/cluster/spec.h"
#include "serving/device/spec.h"
#include "serving/engine/options.h"
#include "serving/load/load.h"
#include "serving/metrics/slo.h"

namespace presil {

/// Replicas of one kind: a model on chips, split and scheduled in one way.
struct PoolSpec {
  std::string name;
  RunRequest design;  // chip, model, settings, parallel split, software
  std::int64_t replicas = 1;
  serving::EngineOptions engine;
};

/// One way to serve the load; a scenario may hold several against each other.
struct ServiceSpec {
  std::string name;
  serving::ClusterSpec cluster;
  std::vector<PoolSpec> pools;
};

struct Scenario {
  std::string name;
  std::string question;
  std::optional<serving::LoadSpec> load;
  serving::Slo slo;  // without limits: no promise
  std::vector<serving::ServiceClass> classes;
  bool find_max_rate = false;  // of each service, under `slo`
  std::vector<ServiceSpec> services;
  CostBlocks cost;
  std::optional<serving::DeviceSpec> device;
  std::optional<fleet::FleetSpec> fleet;
  std::vector<InputValue> inputs;  // each number, and where it is from
  std::filesystem::path file;
};

/// Validates and converts a parsed scenario. Throws InputError with every complaint.
Scenario read_scenario(const Node& root);

Schema scenario_schema();

/// Reads a scenario: `name` is a path, or the name of a file in home/scenarios. Each override is
/// "key=value" with a field of it ("load.rate=4 /s"). Throws as load_chip does.
Scenario load_scenario(const std::string& name, const std::vector<std::string>& overrides,
                       const std::filesystem::path& home);

}  // namespace presil

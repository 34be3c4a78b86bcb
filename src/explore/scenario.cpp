#include "explore/scenario.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "base/describe.h"
#include "chip/library.h"
#include "chip/overrides.h"
#include "serving/engine/engine_fields.h"

namespace presil {
namespace fs = std::filesystem;
namespace {

constexpr Choice<serving::Role> kRoles[] = {{"both", serving::Role::both},
                                            {"prefill", serving::Role::prefill},
                                            {"decode", serving::Role::decode}};
constexpr double kMostChips = 1e6;
constexpr double kMostReplicas = 10'000;

PoolSpec read_pool(Fields& f, const std::string& model) {
  PoolSpec pool;
  pool.design.chip = f.text("chip", "a chip file, or the name of a shipped one");
  pool.name = f.text_or("name", "of this pool", pool.design.chip);
  pool.design.model = f.text_or("model", "instead of the scenario's", model);
  pool.design.overrides = f.texts_or_none("set", "settings of the chip, as \"dram.stacks=6\"");
  pool.design.tensor_parallel =
      f.integer_or("tensor_parallel", "chips in tensor parallel", 1, {1, kMostChips});
  pool.design.pipeline_parallel =
      f.integer_or("pipeline_parallel", "stages of a pipeline", 1, {1, kMostChips});
  pool.design.data_parallel = f.integer_or(
      "data_parallel", "groups of them, with sequences of their own, that step together", 1,
      {1, kMostChips});
  pool.design.expert_parallel = f.integer_or(
      "expert_parallel", "chips over which a layer's experts are spread", 1, {1, kMostChips});
  pool.design.network = f.text_or("network", "what joins more chips than their links do", "");
  pool.design.dtype = f.text_or("dtype", "format that weights are stored in", "");
  pool.design.numerics = f.text_or("numerics", "a name in numerics/", "");
  pool.design.software = f.text_or("software", "a name in software/", "");
  pool.replicas = f.integer_or("replicas", "of this kind", 1, {1, kMostReplicas});
  if (const auto engine = f.maybe_map("engine", "how its replicas schedule, by vLLM's names",
                                      serving::read_engine)) {
    pool.engine = *engine;
  }
  f.require(!pool.design.model.empty() || f.describing(), "chip",
            "no model: neither here nor at the scenario's top");
  pool.engine.role = f.choice_or<serving::Role>("role", "what its replicas do of a request", kRoles,
                                                serving::Role::both);
  pool.engine.pipeline_stages = pool.design.pipeline_parallel;
  return pool;
}

/// Of the names of `items`, the first that stands twice; "" when all differ.
template <class T>
std::string named_twice(const std::vector<T>& items) {
  std::set<std::string> seen;
  for (const T& item : items) {
    if (!seen.insert(item.name).second) return item.name;
  }
  return "";
}

/// Every request finds a pool that reads its prompt and one that writes its answer.
void check_pools(Fields& f, const ServiceSpec& service) {
  f.require(!service.pools.empty(), "name", "a service without pools");
  bool prefill = false, decode = false;
  for (const PoolSpec& pool : service.pools) {
    prefill |= pool.engine.role == serving::Role::prefill;
    decode |= pool.engine.role == serving::Role::decode;
  }
  f.require(!prefill || decode, "pools", "one that only reads prompts needs one that decodes");
  f.require(!decode || prefill, "pools", "one that only decodes needs one that reads prompts");
  f.require(!prefill || service.cluster.transfer, "pools",
            "those that only read prompts need `transfer`, the link to those that decode");
  const std::string twice = named_twice(service.pools);
  f.require(twice.empty(), "pools", fmt::format("two are called '{}'; give them names", twice));
}

ServiceSpec read_service(Fields& f, const std::string& model) {
  ServiceSpec service;
  service.name = f.text("name", "of this way to serve the load");
  service.cluster = serving::read_cluster(f);
  service.pools = f.maps_or_none("pools", "replicas of one kind each",
                                 [&](Fields& pool) { return read_pool(pool, model); });
  check_pools(f, service);
  return service;
}

/// Whether `name` may be a file's: the page of the answer is called by it.
bool names_a_file(const std::string& name) {
  return !name.empty() && name.front() != '.' && name.find('/') == std::string::npos;
}

/// The services that a fleet consists of are there, each with a promise that it can keep.
void check_fleet(Fields& f, const Scenario& s) {
  const fleet::FleetSpec& fleet = *s.fleet;
  f.require(s.load.has_value(), "fleet", "it needs a load");
  f.require(!s.slo.limits.empty(), "fleet", "it needs an slo such as \"p99_ttft<=2s\"");
  f.require(fleet.own.empty() || fleet.own != fleet.bought, "fleet",
            fmt::format("own and bought are the same service, '{}'", fleet.own));
  for (const std::string& name : {fleet.own, fleet.bought}) {
    if (name.empty()) continue;
    const auto found = std::find_if(s.services.begin(), s.services.end(),
                                    [&](const ServiceSpec& one) { return one.name == name; });
    f.require(found != s.services.end(), "fleet", fmt::format("there is no service '{}'", name));
    f.require(found == s.services.end() || found->pools.size() == 1, "fleet",
              fmt::format("service '{}' must have one pool, which does all of a request", name));
  }
}

/// What the blocks need of each other.
void check_blocks(Fields& f, const Scenario& s) {
  const CostBlocks& cost = s.cost;
  const bool asks_money = cost.foundries || cost.buy_or_build || cost.supply || cost.houses;
  f.require(!s.services.empty() || asks_money || s.device || s.fleet, "question",
            "nothing answers it: expected services, device, fleet, foundries, buy_or_build, "
            "supply or houses");
  f.require(names_a_file(s.name), "name", "expected a name that a file can have");
  f.require(s.services.empty() || f.has("load"), "services", "they need a load");
  f.require(!s.find_max_rate || !s.slo.limits.empty(), "find_max_rate", "it needs an slo");
  f.require(!s.find_max_rate || !s.services.empty(), "find_max_rate", "there is no service");
  f.require(!s.find_max_rate || !s.load || !s.load->closed_loop, "find_max_rate",
            "users of a closed loop wait for their answers: there is no rate to raise");
  const std::string twice = named_twice(s.services);
  f.require(twice.empty(), "services", fmt::format("two are called '{}'", twice));
  f.require(!s.device || s.device->speech || f.has("load"), "device",
            "it needs a load, or speech to interpret");
  if (s.fleet) check_fleet(f, s);
}

Scenario read_fields(Fields& f) {
  Scenario s;
  s.name = f.text("name", "of the scenario, as its file is called");
  s.question = f.text("question", "what it answers, as a person would ask");
  const std::string model = f.text_or("model", "of every pool that names none", "");
  s.load = f.maybe_map("load", "the requests", serving::read_load);
  s.slo = serving::read_slo(f, "slo");
  s.classes = serving::read_classes(f);
  s.find_max_rate = f.flag_or("find_max_rate", "the highest rate that keeps `slo`", false);
  s.services = f.maps_or_none("services", "ways to serve the load, held against each other",
                              [&](Fields& service) { return read_service(service, model); });
  s.cost = read_cost_blocks(f);
  s.device = f.maybe_map("device", "a phone, a PC or a headset, and the cloud behind it",
                         serving::read_device);
  s.fleet = f.maybe_map("fleet", "replicas by the hundred thousand, for a day", fleet::read_fleet);
  if (!f.describing()) check_blocks(f, s);
  return s;
}

}  // namespace

Scenario read_scenario(const Node& root) {
  Sources sources;
  Scenario scenario = read_file(root, "scenario", read_fields, &sources);
  scenario.inputs = list_inputs(root, sources);
  std::erase_if(scenario.inputs, [](const InputValue& value) {
    return value.field == "name" || value.field == "question";
  });
  return scenario;
}

Schema scenario_schema() {
  return describe_file("scenario", "a question and what answers it", read_fields);
}

Scenario load_scenario(const std::string& name, const std::vector<std::string>& overrides,
                       const fs::path& home) {
  std::error_code error;
  fs::path file = name;
  if (!fs::is_regular_file(file, error)) {
    file = home / "scenarios" / (name + ".yaml");
    if (!fs::is_regular_file(file, error)) refuse_name("scenario", "scenarios", name, home);
  }
  Node root = read_document(file, Syntax::yaml, home);
  for (const Override& o : split_overrides(overrides)) {
    apply_override(root, o.path, o.value, o.argument);
  }
  Scenario scenario = read_scenario(root);
  scenario.file = file;
  return scenario;
}

}  // namespace presil

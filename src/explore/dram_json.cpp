#include "explore/dram_json.h"

#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "dram/run/figures.h"

namespace presil {
namespace {

using dram::Command;
using dram::SimulationResult;
using dram::Tick;

double seconds(const SimulationResult& r, Tick ticks) {
  return dram::time_of(r, static_cast<double>(ticks)).count();
}

Json request_json(const DramRequest& q) {
  Json j = {{"part", q.part},
            {"config", q.config},
            {"set", q.overrides},
            {"pattern", q.pattern},
            {"writes", q.writes},
            {"seed", q.seed},
            {"engine", to_string(q.engine)},
            {"use_period", q.use_period},
            {"use_equal_channels", q.use_equal_channels}};
  if (q.atoms) j["atoms"] = *q.atoms;
  if (q.channels) j["channels"] = *q.channels;
  if (q.load) j["load"] = *q.load;
  if (q.curve) j["curve"] = true;
  if (q.sensitivity) j["sensitivity"] = *q.sensitivity;
  return j;
}

Json commands_json(const dram::ChannelCounts& counts) {
  Json j = Json::object();
  for (int c = 0; c < dram::kCommands; ++c) {
    const auto command = static_cast<Command>(c);
    j[std::string(dram::to_string(command))] = counts.of(command);
  }
  return j;
}

Json latency_json(const SimulationResult& r) {
  return {{"mean", dram::time_of(r, r.latency.mean()).count()},
          {"p50", seconds(r, r.latency.percentile(0.5))},
          {"p90", seconds(r, r.latency.percentile(0.9))},
          {"p99", seconds(r, r.latency.percentile(0.99))},
          {"max", seconds(r, r.latency.max())}};
}

/// Eight bins to each doubling, from the first that holds something to the last; every tick its own
/// below eight.
Json histogram_json(const SimulationResult& r) {
  constexpr Tick kBins = 8;
  const auto bin_of = [](Tick ticks) {  // its least latency and that of the next
    Tick width = 1;
    while (ticks / width >= 2 * kBins) width *= 2;
    return std::pair(ticks / width * width, (ticks / width + 1) * width);
  };
  Json list = Json::array();
  std::pair<Tick, Tick> bin{-1, -1};
  r.latency.for_each([&](Tick ticks, std::int64_t count) {
    if (const auto next = bin_of(ticks); next != bin) {
      bin = next;
      list.push_back(
          {{"from_s", seconds(r, bin.first)}, {"to_s", seconds(r, bin.second)}, {"count", 0}});
    }
    list.back()["count"] = list.back()["count"].get<std::int64_t>() + count;
  });
  return list;
}

/// Where the banks of all channels with the same place count together.
Json banks_json(const DramRun& run) {
  const MemoryPart& part = run.files.part;
  const auto pseudo_channels = static_cast<std::size_t>(part.pseudo_channels);
  const auto total = static_cast<std::size_t>(part.total_banks());
  std::vector<dram::BankCounts> sums(pseudo_channels * total);
  for (std::size_t pc = 0; pc < run.result.banks.size(); ++pc) {
    for (std::size_t bank = 0; bank < run.result.banks[pc].size(); ++bank) {
      const dram::BankCounts& counts = run.result.banks[pc][bank];
      dram::BankCounts& sum = sums[pc % pseudo_channels * total + bank];
      sum.activates += counts.activates;
      sum.conflicts += counts.conflicts;
      sum.reads += counts.reads;
      sum.writes += counts.writes;
    }
  }
  const auto banks = static_cast<std::size_t>(part.banks);
  const auto groups = static_cast<std::size_t>(part.bank_groups);
  Json list = Json::array();
  for (std::size_t i = 0; i < sums.size(); ++i) {
    const std::size_t bank = i % total;
    list.push_back({{"pseudo_channel", i / total},
                    {"stack_id", bank / (banks * groups)},
                    {"bank_group", bank / banks % groups},
                    {"bank", bank % banks},
                    {"activates", sums[i].activates},
                    {"conflicts", sums[i].conflicts},
                    {"reads", sums[i].reads},
                    {"writes", sums[i].writes}});
  }
  return list;
}

void add_shares(Json& j, const DramRun& run) {
  const dram::BusShares shares = dram::data_bus_shares(run.result, run.files.part);
  j["data_share"] = shares.data;
  if (run.request.engine == dram::Engine::reference) return;
  j["refresh_share"] = shares.refresh;
  j["row_share"] = shares.row;
  j["turnaround_share"] = shares.turnaround;
  j["other_share"] = shares.other;
}

void add_energy(Json& j, const DramRun& run) {
  const DramEnergy energy =
      dram_energy(run.files.part, dram::events_of(run.result, run.files.part));
  const double bits = 8 * static_cast<double>(run.result.bytes);
  j["energy_j"] = energy.total().typical;
  j["energy"] = {{"rows", band_json(energy.rows)},
                 {"read", band_json(energy.read)},
                 {"write", band_json(energy.write)},
                 {"refresh", band_json(energy.refresh)},
                 {"background", band_json(energy.background)},
                 {"total", band_json(energy.total())}};
  if (bits > 0) j["energy_pj_per_bit"] = energy.total().typical * 1e12 / bits;
}

Json curve_json(const std::vector<dram::LoadPoint>& curve) {
  Json list = Json::array();
  for (const dram::LoadPoint& p : curve) {
    list.push_back({{"load", p.load},
                    {"offered_gbs", p.offered.count() / 1e9},
                    {"bandwidth_gbs", p.served.count() / 1e9},
                    {"latency_s",
                     {{"mean", p.mean.count()},
                      {"p50", p.p50.count()},
                      {"p99", p.p99.count()},
                      {"max", p.most.count()}}},
                    {"saturated", p.saturated}});
  }
  return list;
}

Json change_json(const dram::Sensitivity::Change& c) {
  return {{"clocks", c.clocks},
          {"bandwidth_percent", 100 * c.bandwidth},
          {"latency_percent", 100 * c.latency}};
}

Json sensitivity_json(const std::vector<dram::Sensitivity>& lines) {
  Json list = Json::array();
  for (const dram::Sensitivity& s : lines) {
    list.push_back({{"timing", s.timing},
                    {"clocks", s.clocks},
                    {"shorter", change_json(s.shorter)},
                    {"longer", change_json(s.longer)}});
  }
  return list;
}

}  // namespace

Json to_json(const DramRun& run) {
  const MemoryPart& part = run.files.part;
  const SimulationResult& r = run.result;
  Json j = {
      {"schema", "presil/dram/1"},
      {"status", "ok"},
      {"part", part.name},
      {"request", request_json(run.request)},
      {"engine", to_string(run.request.engine)},
      {"channels", run.channels},
      {"pseudo_channels", run.channels * part.pseudo_channels},
      {"pin_rate_gbps", run.files.dram.rate.count() / 1e9},
      {"capacity_bytes", r.capacity.count()},
      {"ticks", r.ticks},
      {"tick_ps", 1e12 / r.clock.frequency().count()},
      {"atoms", r.atoms},
      {"bytes", r.bytes},
      {"ecc_atoms", r.ecc_atoms},
      {"time_s", dram::time_of(r).count()},
      {"bandwidth_gbs", dram::bandwidth(r).count() / 1e9},
      {"peak_gbs", r.peak.count() / 1e9},
      {"efficiency", dram::efficiency(r)},
      {"commands", commands_json(r.counts)},
      {"log_hash", fmt::format("{:016x}", r.log_hash.value())},
      {"shortcuts", r.shortcuts},
      {"row",
       {{"hits", r.counts.hits}, {"misses", r.counts.misses}, {"conflicts", r.counts.conflicts}}},
      {"latency_s", latency_json(r)}};
  if (!run.trace_sha256.empty()) j["trace_sha256"] = run.trace_sha256;
  add_shares(j, run);
  add_energy(j, run);
  j["timing_estimated"] = part.timing_estimated;
  j["estimates"] = estimates_json(run.files.inputs);
  j["latency_histogram"] = histogram_json(r);
  j["banks"] = banks_json(run);
  if (run.request.curve) j["curve"] = curve_json(run.curve);
  if (run.request.sensitivity) {
    j["sensitivity"] = {{"varied_percent", 100 * *run.request.sensitivity},
                        {"timings", sensitivity_json(run.sensitivity)}};
  }
  j["inputs"] = inputs_json(run.files.inputs);
  return j;
}

}  // namespace presil

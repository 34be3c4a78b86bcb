#include "explore/error_model.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "chip/derived.h"
#include "chip/dram_shape.h"

namespace presil {
namespace {

/// The fields of a chip's file that a resource's rate follows from; a group stands for its members.
constexpr std::pair<Resource, std::string_view> kRates[] = {
    {Resource::dram, "dram.stacks"},
    {Resource::dram, "dram.rate"},
    {Resource::matrix, "core.count"},
    {Resource::matrix, "core.clock"},
    {Resource::matrix, "core.boost"},
    {Resource::matrix, "core.matrix.macs_per_cycle"},
    {Resource::vector, "core.count"},
    {Resource::vector, "core.clock"},
    {Resource::vector, "core.boost"},
    {Resource::vector, "core.vector"},
    {Resource::sram, "core.sram.read"},
    {Resource::sram, "sram.read"},
    {Resource::sram, "sram.write"},
    {Resource::noc, "noc.bandwidth"},
    {Resource::noc, "noc.multicast"},
    {Resource::noc, "noc.links"},
    {Resource::die_link, "die.link.bandwidth"},
    {Resource::dma, "dma"},
    {Resource::link, "link.bandwidth"},
    {Resource::link, "link.latency"},
    {Resource::launch, "launch"},
    {Resource::power, "power.limit"},
    {Resource::power, "power.idle"},
    {Resource::power, "power.control_overhead"},
};

bool is_within(std::string_view field, std::string_view group) {
  return field.starts_with(group) && (field.size() == group.size() || field[group.size()] == '.');
}

bool is_override(const InputValue& value) {
  return value.file.starts_with("--set");
}

std::vector<std::string> names_of(const Chip& chip) {
  std::vector<std::string> names = chip.alias;
  names.push_back(chip.name);
  return names;
}

double square(double x) {
  return x * x;
}

}  // namespace

ErrorModel::ErrorModel(kernels::Uncertainty uncertainty, const ChipFiles& chip,
                       const kernels::Library& library)
    : uncertainty_(std::move(uncertainty)),
      dram_peak_(peak_bandwidth(chip.memory, chip.chip.dram)) {
  const Core& core = chip.chip.core;
  const double boost = std::max(1.0, core.boost.value_or(core.clock).count() / core.clock.count());
  for (const auto& [format, macs] : core.matrix.macs_per_cycle) {
    peaks_[format] = peak_flops(chip.chip, format) * boost;
  }
  if (library.software.has_laws()) {
    const bool changed = std::any_of(chip.inputs.begin(), chip.inputs.end(), is_override);
    nearness_ = uncertainty_.nearness_of(names_of(chip.chip), library.machine.generation, changed);
  }
  if (nearness_ == kernels::Nearness::fitted) return;
  for (const InputValue& value : chip.inputs) {
    if (!value.source || value.source->confidence != Confidence::estimate) continue;
    for (const auto& [resource, field] : kRates) {
      if (is_within(value.field, field)) estimated_[static_cast<std::size_t>(resource)] = true;
    }
  }
}

TimeBand ErrorModel::of(const PhaseResult& phase) const {
  const Timeline& t = phase.timeline;
  double products = 0;
  for (const auto& [format, macs] : t.counts.macs) {
    const auto peak = peaks_.find(format);
    if (peak != peaks_.end()) products += 2 * static_cast<double>(macs) / peak->second.count();
  }
  const auto line = static_cast<double>(phase.line());
  return band(t.by_class, t.charges,
              std::max(seconds_of(t.dram_bytes), products / spread_of(Resource::matrix)) / line);
}

TimeBand ErrorModel::of(const KernelTime& kernel) const {
  const Picoseconds time = kernel.end - kernel.start;
  Charges charges{};
  charges[static_cast<std::size_t>(kernel.bound_by)] = time;
  return band({{kernel.error_class, time}}, charges, seconds_of(kernel.dram_bytes));
}

double ErrorModel::spread_of(Resource resource) const {
  return estimated_[static_cast<std::size_t>(resource)] ? kEstimateSpread : 1;
}

double ErrorModel::seconds_of(Bytes dram_bytes) const {
  return static_cast<double>(dram_bytes.count()) / dram_peak_.count() / spread_of(Resource::dram);
}

std::vector<Resource> ErrorModel::estimated() const {
  std::vector<Resource> result;
  for (std::size_t r = 0; r < kResources; ++r) {
    if (estimated_[r]) result.push_back(static_cast<Resource>(r));
  }
  return result;
}

TimeBand ErrorModel::band(const std::map<ErrorClass, Picoseconds>& by_class, const Charges& charges,
                          double fastest) const {
  double all = 0, low = 0, high = 0;
  for (const auto& [kernels, time] : by_class) {
    const auto share = static_cast<double>(time.count());
    const kernels::ErrorBand b =
        uncertainty_.band_of(kernels.law, kernels.type, kernels.regime, nearness_);
    all += share;
    // What is known to be off to one side is a band up to the prediction at least.
    low += share * std::min(1.0, b.low);
    high += share * std::max(1.0, b.high);
  }
  double charged = 0, fast = 0, slow = 0;
  for (std::size_t r = 0; r < kResources; ++r) {
    const auto share = static_cast<double>(charges[r].count());
    const double spread = spread_of(static_cast<Resource>(r));
    charged += share;
    fast += share / spread;
    slow += share * spread;
  }
  if (all == 0 || charged == 0) return {};
  const auto together = [](double a, double b) {
    return std::sqrt(square(std::log(a)) + square(std::log(b)));
  };
  const double least = std::min(1.0, fastest / (charged * 1e-12));
  return {std::max(least, std::exp(-together(low / all, fast / charged))),
          std::exp(together(high / all, slow / charged))};
}

}  // namespace presil

#include "dram/run/load_curve.h"

#include "base/interrupt.h"
#include "base/parallel.h"
#include "dram/run/figures.h"

namespace presil::dram {
namespace {

// Of what the memory serves at most.
constexpr double kBelowTheKnee[] = {0.05, 0.1, 0.2,  0.3, 0.4,  0.5,  0.6,
                                    0.7,  0.8, 0.85, 0.9, 0.95, 0.98, 1.0};

}  // namespace

std::vector<double> curve_loads(double most) {
  std::vector<double> loads;
  for (const double share : kBelowTheKnee) loads.push_back(share * most);
  if (most < 0.99) {
    loads.push_back((most + 1) / 2);
    loads.push_back(1);
  } else {
    loads.back() = 1;
  }
  return loads;
}

std::vector<LoadPoint> load_curve(const SimulationInput& input,
                                  const SimulationResult& without_limit,
                                  const std::function<void()>& on_point) {
  const double most = efficiency(without_limit);
  const std::vector<double> loads = curve_loads(most);
  std::vector<LoadPoint> points(loads.size());
  parallel_each(loads.size(), [&](std::size_t i) {
    check_interrupt();
    SimulationInput at_load = input;
    at_load.log = nullptr;
    at_load.progress = nullptr;
    at_load.workload.load = loads[i];
    const SimulationResult r = simulate(at_load);
    points[i] = {.load = loads[i],
                 .offered = r.peak * loads[i],
                 .served = bandwidth(r),
                 .mean = time_of(r, r.latency.mean()),
                 .p50 = time_of(r, static_cast<double>(r.latency.percentile(0.5))),
                 .p99 = time_of(r, static_cast<double>(r.latency.percentile(0.99))),
                 .most = time_of(r, static_cast<double>(r.latency.max())),
                 .saturated = loads[i] > most};
    on_point();
  });
  return points;
}

}  // namespace presil::dram

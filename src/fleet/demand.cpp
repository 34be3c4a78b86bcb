#include "fleet/demand.h"

#include <cmath>
#include <numbers>

#include <fmt/format.h>

namespace presil::fleet {
namespace {

Region read_region(Fields& f) {
  Region r;
  r.name = f.text("name", "of the region");
  r.share = f.number("share", "of the day's requests and of the chips", {1e-6, 1});
  r.utc_offset_h = static_cast<int>(
      f.integer_or("utc_offset_h", "local time less universal time, hours", 0, {-12, 14}));
  r.peak_to_mean = f.number_or("peak_to_mean", "rate at the peak over the mean", 1, {1, 2});
  r.peak_hour = f.number_or("peak_hour", "local time of the peak", 20, {0, 24});
  r.site_power = f.maybe<Watts>("site_power", "cap of the site, all included");
  return r;
}

}  // namespace

double load_factor(const Region& region, int utc_hour) {
  // Over an hour the cosine's mean is its value in the middle x sin(w/2) / (w/2), w being 2 pi
  // / 24.
  constexpr double w = 2 * std::numbers::pi / kHours;
  const double middle = utc_hour + 0.5 + region.utc_offset_h;
  const double mean_over_hour = std::sin(w / 2) / (w / 2);
  return 1 + (region.peak_to_mean - 1) * mean_over_hour * std::cos(w * (middle - region.peak_hour));
}

int local_hour(const Region& region, int utc_hour) {
  return (utc_hour + region.utc_offset_h + kHours) % kHours;
}

std::vector<Region> read_regions(Fields& f) {
  std::vector<Region> regions = f.maps_or_none("regions", "where users and sites are", read_region);
  double shares = 0;
  for (const Region& r : regions) shares += r.share;
  f.require(std::abs(shares - 1) < 1e-6, "regions",
            fmt::format("expected shares that sum to 1, found {:g}", shares));
  f.require(regions.size() <= 100, "regions", "expected at most 100");
  return regions;
}

}  // namespace presil::fleet

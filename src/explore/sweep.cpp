#include "explore/sweep.h"

#include <atomic>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/interrupt.h"
#include "base/parallel.h"
#include "base/progress.h"
#include "base/version.h"
#include "explore/prepare.h"
#include "store/key.h"

namespace presil {
namespace {

std::size_t grid_size(const std::vector<SweepAxis>& axes) {
  std::size_t size = 1;
  std::set<std::string_view> keys;
  for (const SweepAxis& axis : axes) {
    if (!keys.insert(axis.key).second) {
      throw InputError(fmt::format("--set {}: expected once, with all its values", axis.key));
    }
    size *= axis.values.size();
    if (size > kLargestGrid) {
      throw InputError(fmt::format("the grid has more than {} points", kLargestGrid));
    }
  }
  return size;
}

/// The settings of point `index`; the last axis varies fastest.
std::vector<std::pair<std::string, std::string>> settings_of(const std::vector<SweepAxis>& axes,
                                                             std::size_t index) {
  std::vector<std::pair<std::string, std::string>> settings(axes.size());
  for (std::size_t a = axes.size(); a-- > 0;) {
    settings[a] = {axes[a].key, axes[a].values[index % axes[a].values.size()]};
    index /= axes[a].values.size();
  }
  return settings;
}

Json run_point(const RunRequest& request, const Places& places, Store& store, std::string& key,
               std::atomic<std::int64_t>& reused) {
  const auto infeasible = [](const Infeasible& why) {
    return Json{{"status", "infeasible"}, {"reason", why.reason}, {"remedy", why.remedy}};
  };
  auto prepared = prepare(request, places);
  if (!prepared) {
    key.clear();
    return infeasible(prepared.error());
  }
  const Json config = {{"point", fingerprint(*prepared, places)}};
  key = content_key(config.dump(), kVersion, 0);
  if (const auto stored = store.find_result(key)) {
    ++reused;
    return Json::parse(*stored);
  }
  const auto result = time_run(std::move(*prepared), places);
  Json json = result ? summary_json(*result) : infeasible(result.error());
  store.put_result(key, json.dump());
  return json;
}

}  // namespace

SweepAxis parse_axis(std::string_view argument) {
  const std::size_t equals = argument.find('=');
  SweepAxis axis;
  axis.key = std::string(argument.substr(0, equals));
  std::string_view rest =
      equals == std::string_view::npos ? std::string_view() : argument.substr(equals + 1);
  while (!rest.empty()) {
    const std::size_t comma = std::min(rest.find(','), rest.size());
    axis.values.emplace_back(rest.substr(0, comma));
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  }
  if (axis.key.empty() || axis.values.empty()) {
    throw InputError(fmt::format("--set {}: expected key=value or key=a,b,c", argument));
  }
  return axis;
}

Json sweep(const RunRequest& base, const std::vector<SweepAxis>& axes, const Places& places,
           Store& store, std::int64_t& reused) {
  const std::size_t size = grid_size(axes);
  std::vector<Json> points(size);
  std::vector<std::string> keys(size);
  std::atomic<std::int64_t> known = 0;
  Progress progress("sweep", static_cast<std::int64_t>(size));
  parallel_each(size, [&](std::size_t i) {
    check_interrupt();
    RunRequest request = base;
    Json set = Json::object();
    for (const auto& [key, value] : settings_of(axes, i)) {
      request.overrides.push_back(key + "=" + value);
      set[key] = value;
    }
    const Json result = run_point(request, places, store, keys[i], known);
    points[i] = {{"set", set}};
    points[i].update(result);
    progress.advance();
  });

  reused = known;
  Json axes_json = Json::array();
  for (const SweepAxis& axis : axes) {
    axes_json.push_back({{"key", axis.key}, {"values", axis.values}});
  }
  Json result = {{"schema", "presil/sweep/1"},
                 {"chip", base.chip},
                 {"model", base.model},
                 {"axes", axes_json},
                 {"points", points}};
  result["pareto"] = pareto(result["points"]);

  std::vector<SweepPoint> stored;
  for (std::size_t i = 0; i < size; ++i) {
    if (!keys[i].empty()) stored.push_back({points[i]["set"].dump(), keys[i]});
  }
  const std::string request =
      Json{{"chip", base.chip}, {"model", base.model}, {"axes", axes_json}}.dump();
  store.add_sweep(content_key(result.dump(), kVersion, 0), request, stored);
  return result;
}

std::vector<std::size_t> pareto(const Json& points) {
  struct Figures {
    std::size_t index;
    double cost;   // less is better
    double delay;  // less is better
  };
  std::vector<Figures> figures;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const Json& p = points[i];
    if (p.value("status", "") != "ok") continue;
    const Json& phases = p.at("phases");
    if (phases.contains("decode")) {
      figures.push_back({i, p.at("cost").at("usd_per_mtoken").get<double>(),
                         1 / phases.at("decode").at("tokens_per_s").get<double>()});
    } else {
      const Json& prefill = phases.at("prefill");
      figures.push_back(
          {i, prefill.at("energy_j").get<double>(), prefill.at("time_s").get<double>()});
    }
  }
  std::vector<std::size_t> front;
  for (const Figures& mine : figures) {
    bool beaten = false;
    for (const Figures& other : figures) {
      beaten |= other.cost <= mine.cost && other.delay <= mine.delay &&
                (other.cost < mine.cost || other.delay < mine.delay);
    }
    if (!beaten) front.push_back(mine.index);
  }
  return front;
}

}  // namespace presil

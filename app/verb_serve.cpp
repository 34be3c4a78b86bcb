// serve: a scenario end to end: a service under load, a device, a fleet, a bill.
#include <cmath>
#include <filesystem>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/keep.h"
#include "app/output.h"
#include "base/quantity_text.h"
#include "explore/serve.h"
#include "explore/serve_json.h"
#include "report/table.h"

namespace presil::app {
namespace {

std::string time_text(double seconds) {
  return std::isnan(seconds) ? "-" : format_quantity(seconds, Dimension::seconds);
}

/// Why is a sentence below the table.
constexpr const char* kNo = "no, see below";

std::string service_table(const std::vector<ServiceAnswer>& services) {
  Table table({{"service"},
               {"requests/s", Align::right},
               {"TTFT p50", Align::right},
               {"p99", Align::right},
               {"TPOT p50", Align::right},
               {"p99", Align::right},
               {"tokens/s", Align::right},
               {"goodput", Align::right},
               {"KV use", Align::right},
               {"MFU", Align::right},
               {"power", Align::right},
               {"J/token", Align::right},
               {"USD/Mtoken", Align::right},
               {"", Align::left}});
  for (const ServiceAnswer& s : services) {
    if (s.pools.empty()) {
      table.add({s.name, "", "", "", "", "", "", "", "", "", "", "", "",
                 Cell(s.no ? kNo : "", Tone::warning)});
      continue;
    }
    const serving::ServiceResult& r = s.result;
    table.add({s.name, fmt::format("{:.3g}", s.rate), time_text(r.latency.ttft_s.p50),
               time_text(r.latency.ttft_s.p99), time_text(r.latency.tpot_s.p50),
               time_text(r.latency.tpot_s.p99), fmt::format("{:.0f}", r.output_throughput),
               fmt::format("{:.3g} /s", r.request_goodput),
               fmt::format("{:.0f} %", 100 * r.kv_use.mean), fmt::format("{:.0f} %", 100 * r.mfu),
               fmt::format("{:.0f} W", r.power_w),
               std::isnan(r.energy_j_per_token) ? "-" : fmt::format("{:.3g}", r.energy_j_per_token),
               s.price ? fmt::format("{:.3f}", s.price->usd_per_mtoken.typical) : "-",
               Cell(s.no                      ? kNo
                    : r.counts.rejected() > 0 ? fmt::format("{} rejected", r.counts.rejected())
                                              : "",
                    Tone::warning)});
  }
  return table.render(colour());
}

/// Makes the folder that `file` will be written to.
void make_folder_of(const std::filesystem::path& file) {
  const std::filesystem::path folder = file.parent_path();
  std::error_code error;
  if (!folder.empty()) std::filesystem::create_directories(folder, error);
  if (error) throw InputError(fmt::format("--store: {}: {}", folder.string(), error.message()));
}

/// Whether no service can do it, or the device or the fleet cannot.
bool is_no(const ServeAnswer& answer) {
  if (answer.no_fleet || (answer.device && answer.device->no)) return true;
  bool any = false;
  for (const ServiceAnswer& s : answer.services) any = any || !s.no;
  return !answer.services.empty() && !any;
}

}  // namespace

int serve_verb(const Common& common, const ServeRequest& request) {
  Scenario scenario = load_scenario(request.scenario, common.set, common.places.home);
  if (request.find_max_rate) {
    if (scenario.services.empty()) throw InputError("--find-max-rate: the scenario has no service");
    scenario.slo = serving::parse_slo(*request.find_max_rate, "--find-max-rate");
    scenario.find_max_rate = true;
  }
  const std::filesystem::path page = common.store.parent_path() / (scenario.name + ".html");
  make_folder_of(page);  // rather than learn after minutes that there is none
  const ServeAnswer answer = serve(scenario, common.places, common.seed);
  Json json = to_json(answer);
  write_report(common, page, scenario.name, fmt::format("presil serve {}", request.scenario),
               {{"serve", Json::array({json})}});
  if (common.json) {
    if (common.host) {
      json["host"]["table_cpu_s"] = answer.table_cpu_s;
      json["host"]["loop_cpu_s"] = answer.loop_cpu_s;
    }
    print_json(common, std::move(json));
  } else {
    fmt::print("{}\n\n", scenario.question);
    if (!answer.services.empty()) fmt::print("{}\n", service_table(answer.services));
    for (const std::string& sentence : sentences(answer)) fmt::print("- {}\n", sentence);
    fmt::print("\npage     {}\n", page.string());
  }
  return is_no(answer) ? 1 : 0;
}

}  // namespace presil::app

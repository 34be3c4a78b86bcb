// Opens the report page in Debian's headless Chromium: nothing may be written to the console as an
// error, whatever parts the data has. With UPDATE_GOLDEN=1 the demo's page becomes the picture of
// the README.

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

#include "report/page.h"

namespace presil {
namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

const fs::path kSource = PRESIL_SOURCE_DIR;

std::string contents(const fs::path& path) {
  std::ostringstream text;
  std::ifstream file(path, std::ios::binary);
  if (file) text << file.rdbuf();
  return text.str();
}

/// The bundle that the launcher makes; "" where there was no npm.
std::string chart_library() {
  return contents(kSource / "build/report/echarts.min.js");
}

Json sample() {
  return Json::parse(contents(kSource / "test/data/report_sample.json"));
}

/// Scenarios and bills with invented numbers.
Json scenarios() {
  return Json::parse(contents(kSource / "test/report/serve_sample.json"));
}

/// Copies of `json`, one for each of its members at any depth down to `depth`: in turn without the
/// member, with text, nothing or an empty list in its place. Of a list only the first member.
std::vector<Json> maimed(const Json& json, int depth) {
  static const Json kOthers[] = {"text", nullptr, Json::array()};
  std::vector<Json> copies;
  const auto replace = [&](const auto& key, const Json& part) {
    copies.push_back(json);
    copies.back().at(key) = part;
  };
  if (json.is_object()) {
    std::size_t turn = 0;
    for (const auto& [key, value] : json.items()) {
      const std::size_t what = turn++ % 4;
      replace(key, kOthers[what % 3]);
      if (what == 3) copies.back().erase(key);
      if (depth == 0) continue;
      for (const Json& part : maimed(value, depth - 1)) replace(key, part);
    }
  } else if (json.is_array() && !json.empty() && depth > 0) {
    for (const Json& part : maimed(json[0], depth - 1)) replace(std::size_t{0}, part);
  }
  return copies;
}

/// Lists of numbers and of points cut to their first three.
Json shortened(Json json) {
  if (json.is_array() && json.size() > 3) json.erase(json.begin() + 3, json.end());
  if (json.is_structured()) {
    for (Json& part : json) part = shortened(std::move(part));
  }
  return json;
}

void replace_texts(Json& json, const std::string& text) {
  if (json.is_string()) json = text;
  if (!json.is_structured()) return;
  for (Json& part : json) replace_texts(part, text);
}

bool has_chromium() {
  return std::system("command -v chromium >/dev/null 2>&1") == 0;
}

struct Visit {
  int exit_code = 0;
  std::string dom;
  std::string console_errors;  // the lines of the log that came from the page
};

class PageInBrowser : public testing::Test {
 protected:
  PageInBrowser()
      : folder_(fs::path(testing::TempDir()) / fmt::format("presil_page_{}", getpid())) {
    fs::create_directories(folder_);
  }
  ~PageInBrowser() override { fs::remove_all(folder_); }

  void SetUp() override {
    if (!has_chromium()) GTEST_SKIP() << "chromium is not installed (apt-get install chromium)";
  }

  Visit open(const std::string& page, const std::string& options = "--dump-dom") {
    std::ofstream(folder_ / "page.html") << page;
    const std::string command = fmt::format(
        "cd '{}' && HOME=$PWD timeout 60 chromium --headless --no-sandbox --disable-gpu "
        "--disable-quic --no-first-run --disable-background-networking --disable-component-update "
        "--disable-sync --user-data-dir=profile --hide-scrollbars --force-color-profile=srgb "
        "--enable-logging=stderr --v=0 --virtual-time-budget=3000 {} file://$PWD/page.html "
        ">dom 2>log",
        folder_.string(), options);
    Visit visit;
    visit.exit_code = std::system(command.c_str());
    visit.dom = contents(folder_ / "dom");
    std::istringstream log(contents(folder_ / "log"));
    for (std::string line; std::getline(log, line);) {
      if (line.find(":CONSOLE") != std::string::npos) visit.console_errors += line + "\n";
    }
    return visit;
  }

  void expect_clean(const Visit& visit) {
    EXPECT_EQ(visit.exit_code, 0) << contents(folder_ / "log");
    EXPECT_EQ(visit.console_errors, "");
    EXPECT_EQ(visit.dom.find("class=\"notice page-error\""), std::string::npos);
    EXPECT_NE(visit.dom.find("<footer id=\"foot\"><p>"), std::string::npos) << "drawn to the end";
  }

  fs::path folder_;
};

constexpr std::string_view kSections[] = {"summary", "tokens",   "time",   "roofline",
                                          "dram",    "memory",   "energy", "cost",
                                          "sweep",   "numerics", "sources"};

TEST_F(PageInBrowser, ShowsEverySectionWithoutAConsoleError) {
  const Visit visit = open(render_page(sample(), chart_library()));

  expect_clean(visit);
  for (const std::string_view id : kSections) {
    EXPECT_NE(visit.dom.find(fmt::format("<section id=\"{}\"", id)), std::string::npos) << id;
  }
  if (!chart_library().empty()) {
    EXPECT_NE(visit.dom.find("<svg"), std::string::npos) << "charts are drawn";
    EXPECT_EQ(visit.dom.find("<p class=\"notice\">The charts are missing"), std::string::npos);
  }
}

TEST_F(PageInBrowser, WithoutTheChartLibraryShowsItsTablesAndSaysWhatIsMissing) {
  const Visit visit = open(render_page(sample(), ""));

  expect_clean(visit);
  EXPECT_NE(visit.dom.find("<p class=\"notice\">The charts are missing"), std::string::npos);
  EXPECT_EQ(visit.dom.find("<svg"), std::string::npos);
  EXPECT_EQ(visit.dom.find("<details><summary>Numbers"), std::string::npos)
      << "every chart's table stands open";
}

TEST_F(PageInBrowser, ManagesWithoutAnyOneOfTheParts) {
  Json report = sample();
  const Json full = report["runs"][0];
  report["runs"] = Json::array({Json::object()});
  for (const auto& [part, value] : full.items()) {
    report["runs"].push_back(full);
    report["runs"].back().erase(part);
  }
  for (const auto& [part, value] : full["phases"]["decode"].items()) {
    report["runs"].push_back(full);
    report["runs"].back()["phases"]["decode"].erase(part);
  }

  const Json memory = sample()["runs"].back();
  ASSERT_EQ(memory["schema"], "presil/dram/1");
  for (const auto& [part, value] : memory.items()) {
    if (part == "schema") continue;
    report["runs"].push_back(memory);
    report["runs"].back().erase(part);
  }

  expect_clean(open(render_page(report, chart_library())));
}

TEST_F(PageInBrowser, ManagesWithNothingAtAll) {
  const Visit visit = open(render_page(Json::object(), chart_library()));

  expect_clean(visit);
  EXPECT_NE(visit.dom.find("<p class=\"notice\">This report holds no runs."), std::string::npos);
}

TEST_F(PageInBrowser, HostileTextStaysText) {
  const std::string hostile = "</script><img src=x onerror=alert(1)>";
  Json report = sample();
  report["title"] = hostile;
  report["command"] = hostile;
  for (Json& run : report["runs"]) {
    run["model"] = hostile;
    run["chip"] = hostile;
    run["part"] = hostile;
    run["request"]["pattern"] = hostile;
    run["shortcuts"] = {hostile};
    run["prompt"] = hostile;
    run["tokens"] = {{{"id", 1}, {"text", hostile}}};
    run["inputs"] = {{{"field", hostile}, {"ref", hostile}, {"confidence", hostile}}};
    for (Json& op : run["ops"]) op["name"] = hostile;
  }

  const Visit visit = open(render_page(report, chart_library()));

  expect_clean(visit);
  EXPECT_EQ(visit.dom.find("<img"), std::string::npos);
}

TEST_F(PageInBrowser, ShowsScenariosAndBills) {
  const Visit visit = open(render_page(scenarios(), chart_library()));

  expect_clean(visit);
  for (const std::string_view id : {"answer-1", "service-1", "bill-1", "answer-2", "device-2",
                                    "answer-3", "fleet-3", "bills"}) {
    EXPECT_NE(visit.dom.find(fmt::format("<section id=\"{}\"", id)), std::string::npos) << id;
  }
  EXPECT_EQ(visit.dom.find("id=\"device-1\""), std::string::npos) << "no section without a part";
  const std::size_t main = visit.dom.find("<main");
  const std::string shown = visit.dom.substr(main, visit.dom.find("</main>") - main);
  for (const std::string_view slip : {"NaN", "undefined", "Infinity", "[object"}) {
    EXPECT_EQ(shown.find(slip), std::string::npos) << slip;
  }
}

TEST_F(PageInBrowser, OneScenarioIsAPageOfItsOwn) {
  Json report = scenarios();
  report["serve"].erase(report["serve"].begin() + 1, report["serve"].end());
  report.erase("cost");

  const Visit visit = open(render_page(report, chart_library()));

  expect_clean(visit);
  const std::string question = report["serve"][0]["question"].get<std::string>();
  EXPECT_NE(visit.dom.find(">" + question + "<"), std::string::npos);
  EXPECT_NE(visit.dom.find("<section id=\"answer\""), std::string::npos);
  EXPECT_NE(visit.dom.find("What bound the time"), std::string::npos);
  // 0.8 of 26 requests a second, as the file says, beside the other services' numbers.
  EXPECT_NE(visit.dom.find(">requests completed/s</th><td class=\"number\">20.8<"),
            std::string::npos);
}

TEST_F(PageInBrowser, ScenariosWithoutTheChartLibraryAreTables) {
  const Visit visit = open(render_page(scenarios(), ""));

  expect_clean(visit);
  EXPECT_EQ(visit.dom.find("<svg"), std::string::npos);
  EXPECT_EQ(visit.dom.find("<details><summary>Numbers"), std::string::npos)
      << "every chart's table stands open";
  EXPECT_EQ(visit.dom.find("</figcaption></figure>"), std::string::npos)
      << "no figure is a title alone";
}

TEST_F(PageInBrowser, ManagesWhateverAScenarioLacks) {
  // Asks for every chart's option, as ECharts would, and draws none: there are a thousand copies.
  const std::string_view charts =
      "globalThis.echarts = {init: () => ({resize() {}, setOption() {}})};";
  const Json full = shortened(scenarios());
  for (const Json& scenario : full["serve"]) {
    const std::vector<Json> copies = maimed(scenario, 3);
    for (std::size_t first = 0; first < copies.size(); first += 400) {
      Json report = {{"serve", Json::array()}};
      for (std::size_t i = first; i < std::min(first + 400, copies.size()); ++i) {
        report["serve"].push_back(copies[i]);
      }
      expect_clean(open(render_page(report, charts)));
    }
  }
  expect_clean(open(render_page({{"cost", maimed(full["cost"][0], 1)}}, charts)));
}

TEST_F(PageInBrowser, HostileTextInAScenarioStaysText) {
  Json report = scenarios();
  replace_texts(report, "</script><img src=x onerror=alert(1)>");

  const Visit visit = open(render_page(report, chart_library()));

  expect_clean(visit);
  EXPECT_EQ(visit.dom.find("<img"), std::string::npos);
}

TEST_F(PageInBrowser, SortsATableAtAClick) {
  // The place of the chart library takes any script; this one clicks like a reader.
  const std::string click =
      "addEventListener('load', () => document.querySelector('#summary th button').click());";
  const Visit visit = open(render_page(sample(), click));

  expect_clean(visit);
  EXPECT_NE(visit.dom.find("aria-sort=\"ascending\""), std::string::npos);
}

TEST_F(PageInBrowser, ThisTestNoticesAnErrorThatIsThrownAndOneThatIsLogged) {
  const Visit thrown = open(render_page(sample(), "throw new Error('planted');"));
  EXPECT_NE(thrown.console_errors.find("planted"), std::string::npos);
  EXPECT_NE(thrown.dom.find("class=\"notice page-error\""), std::string::npos);

  const Visit logged = open(render_page(sample(), "console.error('planted');"));
  EXPECT_NE(logged.console_errors.find("planted"), std::string::npos);
}

/// With UPDATE_GOLDEN=1, after ./presil demo, makes the picture anew.
TEST_F(PageInBrowser, TheReadmeHasItsPicture) {
  const fs::path picture = kSource / "docs/report.png";
  if (std::getenv("UPDATE_GOLDEN") != nullptr) {
    const Visit visit = open(contents(kSource / "out/report.html"),
                             "--window-size=1280,1500 --screenshot=report.png");
    EXPECT_EQ(visit.console_errors, "");
    fs::copy_file(folder_ / "report.png", picture, fs::copy_options::overwrite_existing);
  }

  EXPECT_TRUE(contents(picture).starts_with("\x89PNG"));
  EXPECT_NE(contents(kSource / "README.md").find("(docs/report.png)"), std::string::npos);
}

}  // namespace
}  // namespace presil

// Opens the report page in Debian's headless Chromium: nothing may be written to the console as an
// error, whatever parts the data has. With UPDATE_GOLDEN=1 the demo's page becomes the picture of
// the README.

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

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

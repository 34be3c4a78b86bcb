#include "report/page.h"

#include <filesystem>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

#include "base/error.h"

namespace presil {
namespace {

using Json = nlohmann::ordered_json;

std::size_t occurrences(const std::string& text, std::string_view of) {
  std::size_t count = 0;
  for (auto at = text.find(of); at != std::string::npos; at = text.find(of, at + 1)) ++count;
  return count;
}

std::string data_of(const std::string& page) {
  const std::string start = R"(<script id="data" type="application/json">)";
  const std::size_t at = page.find(start) + start.size();
  return page.substr(at, page.find("</script>", at) - at);
}

TEST(Page, CarriesItsDataUnchanged) {
  const Json report = {{"title", "T"}, {"runs", {{{"chip", "µ <b> @script@"}}}}};

  EXPECT_EQ(Json::parse(data_of(render_page(report, ""))), report);
}

TEST(Page, HostileNamesCannotBecomeMarkup) {
  const std::string hostile = "</script><script>alert(1)</script><!--<img src=x onerror=alert(1)>";
  const std::string harmless = render_page({{"title", "T"}, {"runs", {{{"prompt", "x"}}}}}, "");
  const std::string page = render_page({{"title", hostile}, {"runs", {{{"prompt", hostile}}}}}, "");

  EXPECT_EQ(occurrences(page, "<script"), occurrences(harmless, "<script"));
  EXPECT_EQ(occurrences(page, "</script"), occurrences(harmless, "</script"));
  EXPECT_EQ(occurrences(page, "<img"), 0u);
  EXPECT_EQ(Json::parse(data_of(page))["runs"][0]["prompt"], hostile);
}

TEST(Page, PlaceholdersInTheDataStayAsTheyAre) {
  const std::string page = render_page({{"title", "@style@ @data@ @charts@ @script@"}}, "");

  EXPECT_EQ(occurrences(page, "@data@"), 2u);  // in <title> and in the data
}

TEST(Page, TextThatIsNotUtf8BecomesAReplacementCharacter) {
  const std::string page = render_page({{"title", "T"}, {"runs", {{{"text", "a\xff"}}}}}, "");

  EXPECT_EQ(Json::parse(data_of(page))["runs"][0]["text"], "a\xef\xbf\xbd");
}

TEST(Page, TakesTheChartLibraryInAndNothingFromANetwork) {
  const std::string page = render_page({{"title", "T"}}, "globalThis.echarts = '</script>';");

  EXPECT_NE(page.find(R"(globalThis.echarts = '<\/script>';)"), std::string::npos);
  EXPECT_EQ(occurrences(page, "src=\""), 0u);
  EXPECT_NE(page.find("default-src 'none'"), std::string::npos);
}

class PageFile : public testing::Test {
 protected:
  PageFile()
      : folder_(std::filesystem::path(testing::TempDir()) /
                ("presil_page_" + std::to_string(getpid()))) {}
  ~PageFile() override { std::filesystem::remove_all(folder_); }
  std::filesystem::path folder_;
};

TEST_F(PageFile, IsWrittenWholeIntoANewFolderAndReplacesTheOldOne) {
  const auto path = folder_ / "out" / "report.html";
  write_page(path, {{"title", "old"}}, "no/such/library.js");
  write_page(path, {{"title", "new"}}, "no/such/library.js");

  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  EXPECT_EQ(text.str(), render_page({{"title", "new"}}, ""));
  const auto files = std::filesystem::directory_iterator(path.parent_path());
  EXPECT_EQ(std::distance(begin(files), end(files)), 1);  // no unfinished file stays
}

TEST_F(PageFile, ThatCannotBeWrittenIsAnInputError) {
  std::filesystem::create_directories(folder_ / "report.html");  // a folder has the name

  EXPECT_THROW(write_page(folder_ / "report.html", {{"title", "T"}}, ""), InputError);
}

}  // namespace
}  // namespace presil

#include "report/page.h"

#include <array>
#include <fstream>
#include <sstream>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

#include "base/error.h"

namespace presil {

extern const std::string_view kPageHtml;    // src/report/page/page.html
extern const std::string_view kPageStyle;   // page.css
extern const std::string_view kPageScript;  // the .js files

namespace {

std::string replaced(std::string_view text, std::string_view from, std::string_view to) {
  std::string result;
  while (true) {
    const std::size_t at = text.find(from);
    result += text.substr(0, at);
    if (at == std::string_view::npos) return result;
    result += to;
    text.remove_prefix(at + from.size());
  }
}

// Inside <script> only "<" can end the element; in JSON strings it may be written as an escape.
std::string json_for_script(const nlohmann::ordered_json& json) {
  const std::string text =
      json.dump(-1, ' ', /*ensure_ascii=*/false, nlohmann::json::error_handler_t::replace);
  return replaced(text, "<", "\\u003c");
}

// A script of ours has "</script" in string literals only, if at all.
std::string script_for_page(std::string_view script) {
  return replaced(script, "</script", "<\\/script");
}

std::string escaped(std::string_view text) {
  return replaced(replaced(text, "&", "&amp;"), "<", "&lt;");
}

// One pass from left to right: what is filled in is not searched for placeholders.
std::string filled_in(std::string_view html,
                      const std::array<std::pair<std::string_view, std::string>, 5>& parts) {
  std::string page;
  for (const auto& [placeholder, text] : parts) {
    const std::size_t at = html.find(placeholder);
    CHECK(at != std::string_view::npos, "page.html has its placeholders, in order");
    page += html.substr(0, at);
    page += text;
    html.remove_prefix(at + placeholder.size());
  }
  return page += html;
}

std::string contents_or_nothing(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (file) text << file.rdbuf();
  return text.str();
}

}  // namespace

std::string render_page(const nlohmann::ordered_json& report, std::string_view chart_library) {
  CHECK(report.is_object(), "a report is a JSON object");
  const auto title = report.find("title");
  const std::string name =
      title != report.end() && title->is_string() ? *title : "Presilicon report";
  return filled_in(kPageHtml, {{{"@title@", escaped(name)},
                                {"@style@", std::string(kPageStyle)},
                                {"@data@", json_for_script(report)},
                                {"@charts@", script_for_page(chart_library)},
                                {"@script@", script_for_page(kPageScript)}}});
}

void write_page(const std::filesystem::path& path, const nlohmann::ordered_json& report,
                const std::filesystem::path& chart_library) {
  const std::string page = render_page(report, contents_or_nothing(chart_library));
  std::error_code failure;
  if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path(), failure);
  std::filesystem::path unfinished = path;  // beside the file, so that the rename is atomic
  unfinished += fmt::format(".{}.tmp", getpid());
  std::ofstream file(unfinished, std::ios::binary);
  file << page;
  file.close();
  if (file) std::filesystem::rename(unfinished, path, failure);
  if (!file || failure) {
    std::error_code ignored;
    std::filesystem::remove(unfinished, ignored);
    throw InputError(fmt::format("{}: cannot write the report", path.string()));
  }
}

}  // namespace presil

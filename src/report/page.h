// The report page: one HTML file that needs no network and no other file.
//
// The data goes in as JSON, in the text of the page; the page draws itself from it
// (src/report/page/). Whatever the data lacks, the page leaves out. Format: docs/report.md.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

namespace presil {

/// The page of `report` ("presil/report/1"). `chart_library` is the script that defines `echarts`;
/// without it ("") the page shows its numbers as tables and says what is missing.
std::string render_page(const nlohmann::ordered_json& report, std::string_view chart_library);

/// Writes the page of `report` to `path`, whole or not at all, and creates the folder when it is
/// not there. The charts are left out when `chart_library` is not a readable file. Throws
/// InputError when `path` cannot be written.
void write_page(const std::filesystem::path& path, const nlohmann::ordered_json& report,
                const std::filesystem::path& chart_library);

}  // namespace presil

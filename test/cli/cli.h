// The tool as a user meets it: each test has a folder and a store of its own.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

namespace presil::testing {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

inline const fs::path kHome = PRESIL_SOURCE_DIR;
inline const std::string kProgram = PRESIL_PROGRAM;

inline std::string contents(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

struct Answer {
  int status = -1;
  std::string out, err;
  Json json() const { return Json::parse(out); }
};

class Cli : public ::testing::Test {
 protected:
  Cli()
      : folder_(fs::path(::testing::TempDir()) /
                ("presil_cli_" + std::to_string(getpid()) + "_" +
                 ::testing::UnitTest::GetInstance()->current_test_info()->name())) {
    fs::create_directories(folder_);
  }
  ~Cli() override { fs::remove_all(folder_); }

  /// Starts the program in the test's folder; stdout and stderr go to files there, stdin comes from
  /// one where there is one.
  pid_t start(const std::vector<std::string>& arguments) const {
    const pid_t child = fork();
    if (child != 0) return child;
    if (chdir(folder_.c_str()) != 0 || freopen("stdout", "w", stdout) == nullptr ||
        freopen("stderr", "w", stderr) == nullptr) {
      _exit(99);
    }
    if (fs::exists("stdin") && freopen("stdin", "r", stdin) == nullptr) _exit(97);
    setenv("PRESIL_HOME", kHome.c_str(), 1);
    std::vector<char*> argv = {const_cast<char*>(kProgram.c_str())};
    for (const std::string& a : arguments) argv.push_back(const_cast<char*>(a.c_str()));
    argv.push_back(nullptr);
    execv(kProgram.c_str(), argv.data());
    _exit(98);
  }

  Answer finish(pid_t child) const {
    int status = 0;
    waitpid(child, &status, 0);
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status),
            contents(folder_ / "stdout"), contents(folder_ / "stderr")};
  }

  Answer presil(const std::vector<std::string>& arguments) const {
    return finish(start(arguments));
  }

  /// A chip file of the test's own: the shipped one with `from` replaced by `to`.
  std::string chip_with(const std::string& from, const std::string& to) const {
    std::string text = contents(kHome / "chips/h100-sxm.yaml");
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    text.replace(at, from.size(), to);
    std::ofstream(folder_ / "chip.yaml") << text;
    return "chip.yaml";
  }

  static bool has_weights() {
    const char* cache = std::getenv("PRESIL_MODEL_CACHE");
    return cache != nullptr && fs::exists(fs::path(cache) / "smollm2-135m.gguf");
  }

  fs::path folder_;
};

inline std::vector<std::string> operator+(std::vector<std::string> a,
                                          const std::vector<std::string>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

}  // namespace presil::testing

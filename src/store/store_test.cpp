#include "store/store.h"

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <SQLiteCpp/SQLiteCpp.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/sha256.h"

namespace presil {
namespace {

class StoreTest : public testing::Test {
 protected:
  StoreTest() {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    folder_ = std::filesystem::path(testing::TempDir()) /
              fmt::format("presil_store_{}_{}", test->name(), getpid());
    std::filesystem::create_directories(folder_);
    path_ = folder_ / "runs.sqlite";
  }
  ~StoreTest() override { std::filesystem::remove_all(folder_); }

  std::int64_t ask(const std::string& query) const {
    SQLite::Database database(path_.string(), SQLite::OPEN_READONLY);
    return database.execAndGet(query).getInt64();
  }

  std::filesystem::path folder_;
  std::filesystem::path path_;
};

RunRecord run_number(int i, std::size_t rows = 3) {
  RunRecord run;
  run.key = sha256(std::to_string(i));
  run.verb = "run";
  run.chip = "demo";
  run.model = "tiny";
  run.config_json = "{}";
  run.seed = ~std::uint64_t{0};
  run.result_json = fmt::format(R"({{"number":{}}})", i);
  for (std::size_t k = 0; k < rows; ++k) {
    run.metrics.push_back({"decode", fmt::format("m{}", k), 1.5, "s"});
    run.ops.push_back(
        {.phase = "decode", .layer = static_cast<int>(k), .name = "qkv", .bound_by = "dram"});
    run.tokens.push_back({.id = static_cast<std::int64_t>(k), .text = "a"});
  }
  return run;
}

// Runs `work` in a process of its own; the caller waits for the pid.
template <class Work>
pid_t in_child(const Work& work) {
  const pid_t child = fork();
  if (child == 0) {
    try {
      work();
    } catch (...) {
      _exit(1);
    }
    _exit(0);
  }
  return child;
}

int exit_code_of(pid_t child) {
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

TEST_F(StoreTest, GivesBackWhatWasAdded) {
  Store store(path_);
  const std::string id = store.add(run_number(1));

  EXPECT_EQ(store.run_result(id), R"({"number":1})");
  EXPECT_EQ(store.run_result(id.substr(0, 6)), R"({"number":1})");
  EXPECT_EQ(store.run_result("ffff"), std::nullopt);
  ASSERT_EQ(store.runs().size(), 1u);
  EXPECT_EQ(store.runs()[0].id, id);
  EXPECT_EQ(ask("SELECT count(*) FROM metric"), 3);
  EXPECT_EQ(ask("SELECT count(*) FROM op"), 3);
  EXPECT_EQ(ask("SELECT count(*) FROM token"), 3);
}

TEST_F(StoreTest, ReplacesARunOfTheSameKey) {
  Store store(path_);
  store.add(run_number(1));
  RunRecord again = run_number(1, 2);
  again.result_json = R"({"number":1,"host":{}})";
  const std::string id = store.add(again);

  EXPECT_EQ(store.runs().size(), 1u);
  EXPECT_EQ(store.run_result(id), again.result_json);
  EXPECT_EQ(ask("SELECT count(*) FROM metric"), 2);
  EXPECT_EQ(ask("SELECT count(*) FROM blob"), 1);
}

TEST_F(StoreTest, FindsThePointsOfASweepByKey) {
  Store store(path_);
  EXPECT_EQ(store.find_result("k1"), std::nullopt);

  store.put_result("k1", R"({"time_s":1})");
  store.put_result("k1", R"({"time_s":2})");
  store.add_sweep(sha256("sweep"), "{}", {{R"({"dram.stacks":2})", "k1"}});
  store.put_result("k1", R"({"time_s":3})");  // while a sweep refers to it

  EXPECT_EQ(store.find_result("k1"), R"({"time_s":3})");
  EXPECT_EQ(ask("SELECT settings ->> '$.\"dram.stacks\"' FROM sweep_point"), 2);
}

TEST_F(StoreTest, KeepsItsContentsWhenReopened) {
  Store(path_).put_result("k", "{}");

  EXPECT_EQ(Store(path_).find_result("k"), "{}");
}

TEST_F(StoreTest, SummaryIsOneRowARunAndParetoDropsTheBeaten) {
  Store store(path_);
  // (tokens/s, dollars): the second is slower and dearer than the first, the third is cheaper.
  const double points[3][2] = {{100, 1.0}, {90, 2.0}, {50, 0.5}};
  for (int i = 0; i < 3; ++i) {
    RunRecord run = run_number(i, 0);
    run.metrics = {{"decode", "tokens_per_s", points[i][0], "1/s"},
                   {"cost", "usd_per_mtoken", points[i][1], "USD"}};
    store.add(run);
  }

  EXPECT_EQ(ask("SELECT count(*) FROM v_summary WHERE decode_tokens_per_s > 0"), 3);
  EXPECT_EQ(ask("SELECT count(*) FROM v_pareto"), 2);
  EXPECT_EQ(ask("SELECT count(*) FROM v_pareto WHERE decode_tokens_per_s = 90"), 0);
}

TEST_F(StoreTest, IsWholeAfterAWriterIsKilled) {
  { Store create(path_); }
  constexpr std::size_t kRows = 2000;  // long enough a transaction to be hit in the middle
  for (int attempt = 0; attempt < 5; ++attempt) {
    const pid_t child = in_child([&] {
      Store store(path_);
      for (int i = 0;; ++i) store.add(run_number(attempt * 1000 + i, kRows));
    });
    usleep(20'000 + 7'000 * attempt);
    kill(child, SIGKILL);
    EXPECT_EQ(exit_code_of(child), -SIGKILL);

    Store store(path_);
    EXPECT_EQ(ask("SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'"), 0);
    const std::int64_t runs = ask("SELECT count(*) FROM run");
    EXPECT_EQ(ask("SELECT count(*) FROM op"), runs * static_cast<std::int64_t>(kRows));
    EXPECT_EQ(ask("SELECT count(*) FROM artefact"), runs);
  }
}

TEST_F(StoreTest, TakesTwoProcessesAtOnceEvenWhileItIsCreated) {
  constexpr int kRuns = 25;
  const auto write_from = [&](int first) {
    return in_child([this, first] {
      Store store(path_);
      for (int i = 0; i < kRuns; ++i) {
        store.add(run_number(first + i));
        store.put_result(std::to_string(first + i), "{}");
      }
    });
  };
  const pid_t one = write_from(0);
  const pid_t other = write_from(1000);

  EXPECT_EQ(exit_code_of(one), 0);
  EXPECT_EQ(exit_code_of(other), 0);
  EXPECT_EQ(ask("SELECT count(*) FROM run"), 2 * kRuns);
  EXPECT_EQ(ask("SELECT count(*) FROM point"), 2 * kRuns);
}

std::string refusal_of(const std::filesystem::path& path) {
  try {
    Store store(path);
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

TEST_F(StoreTest, RefusesAFileThatIsNotADatabase) {
  const std::string text = "presil: chip/1\nname: not a database, and longer than a header is\n";
  std::ofstream(path_) << text;

  EXPECT_NE(refusal_of(path_).find("runs.sqlite: not a database"), std::string::npos);
  EXPECT_EQ(std::filesystem::file_size(path_), text.size());  // untouched
}

TEST_F(StoreTest, RefusesANewerVersion) {
  { Store create(path_); }
  {
    SQLite::Database database(path_.string(), SQLite::OPEN_READWRITE);
    database.exec("PRAGMA user_version = 99");
  }
  EXPECT_NE(refusal_of(path_).find("has version 99, this presil knows version 1"),
            std::string::npos);
}

TEST_F(StoreTest, RefusesADatabaseOfAnotherProgram) {
  {
    SQLite::Database database(path_.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    database.exec("CREATE TABLE bookmark (url TEXT)");
  }
  EXPECT_NE(refusal_of(path_).find("a database of another program"), std::string::npos);
}

TEST_F(StoreTest, RefusesAFolderThatIsNotThere) {
  EXPECT_NE(refusal_of(folder_ / "missing" / "runs.sqlite").find("cannot open the store"),
            std::string::npos);
}

}  // namespace
}  // namespace presil

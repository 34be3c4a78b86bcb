// The store: one SQLite file that keeps every result under the hash of its inputs.
//
// What is added is there whole or not at all: one transaction each, in write-ahead mode, so that
// Ctrl-C, kill -9 and other processes on the same file do no harm. Results are reused by sweeps
// only; `run` always computes.
#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/record.h"

namespace SQLite {
class Database;
}

namespace presil {

/// One row of `presil ls`.
struct RunSummary {
  std::string id;
  std::string verb;
  std::string chip;
  std::string model;
  std::string status;
  std::string started;  // UTC, "2026-11-22 09:30:00"
};

/// A point of a sweep: its settings and the key of its result.
struct SweepPoint {
  std::string settings_json;
  std::string key;
};

class Store {
 public:
  /// The version of the schema, in the file's user_version.
  static constexpr int kVersion = 1;

  /// Opens `path`, and creates it when it is not there. Throws InputError when it cannot be opened,
  /// is not a database, belongs to another program, or was written by a newer version.
  explicit Store(const std::filesystem::path& path);
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  /// Stores a run with its metrics, operators and tokens; returns its id, the first hex digits of
  /// its key. A run with the same key is replaced: the same inputs and tool give the same result.
  std::string add(const RunRecord& run);

  /// The JSON of a run by its id, or by the start of its key.
  std::optional<std::string> run_result(std::string_view id) const;

  /// All runs, newest first.
  std::vector<RunSummary> runs() const;

  /// The stored JSON of a sweep's point by its content key.
  std::optional<std::string> find_result(std::string_view key) const;

  /// Stores the JSON of a point under its content key. Any thread may call this.
  void put_result(std::string_view key, std::string_view result_json);

  /// Stores what a sweep asked and which points it consists of, each already put. Returns its id.
  std::string add_sweep(std::string_view key, std::string_view request_json,
                        const std::vector<SweepPoint>& points);

 private:
  std::unique_ptr<SQLite::Database> database_;
  mutable std::mutex mutex_;  // one connection, one transaction at a time
};

}  // namespace presil

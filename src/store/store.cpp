#include "store/store.h"

#include <chrono>
#include <thread>

#include <SQLiteCpp/SQLiteCpp.h>
#include <fmt/format.h>
#include <sqlite3.h>

#include "base/error.h"
#include "base/sha256.h"
#include "store/schema.h"

namespace presil {

namespace {

constexpr int kApplicationId = 0x7073696c;  // "psil"
constexpr int kBusyMilliseconds = 30'000;   // how long another process may write
constexpr std::size_t kIdDigits = 12;

std::string id_of(std::string_view key) {
  return std::string(key.substr(0, kIdDigits));
}

int number(SQLite::Database& database, const char* query) {
  return database.execAndGet(query).getInt();
}

// Values bind by position, in the order of the question marks. Returns the number of rows changed.
template <class... Values>
int execute(SQLite::Statement& statement, const Values&... values) {
  int index = 0;
  (statement.bind(++index, values), ...);
  const int changed = statement.exec();
  statement.reset();
  return changed;
}

void create_tables(SQLite::Database& database) {
  SQLite::Transaction transaction(database, SQLite::TransactionBehavior::IMMEDIATE);
  if (number(database, "PRAGMA user_version") == 0) {  // another process may have been first
    database.exec(kSchema);
    database.exec(fmt::format("PRAGMA application_id = {}", kApplicationId));
    database.exec(fmt::format("PRAGMA user_version = {}", Store::kVersion));
  }
  transaction.commit();
}

void check_owner(SQLite::Database& database, const std::string& name) {
  const SQLite::Transaction one_state(database);  // another process may be creating the tables
  const int version = number(database, "PRAGMA user_version");
  const bool empty = number(database, "SELECT count(*) FROM sqlite_schema") == 0;
  if (empty && version == 0) return;
  if (number(database, "PRAGMA application_id") != kApplicationId) {
    throw InputError(
        fmt::format("{}: a database of another program; expected a presil store or a "
                    "file that does not exist yet",
                    name));
  }
  if (version > Store::kVersion) {
    throw InputError(
        fmt::format("{}: the store has version {}, this presil knows version {}; use "
                    "a newer presil or another --store",
                    name, version, Store::kVersion));
  }
}

// The busy timeout does not cover this switch: SQLite refuses at once when another process is at
// the file, which happens when two create it together.
void use_write_ahead_log(SQLite::Database& database) {
  constexpr auto kPause = std::chrono::milliseconds(10);
  for (auto waited = kPause * 0; database.tryExec("PRAGMA journal_mode = WAL") == SQLITE_BUSY;
       waited += kPause) {
    if (waited.count() > kBusyMilliseconds) throw SQLite::Exception(database.getHandle());
    std::this_thread::sleep_for(kPause);
  }
}

std::unique_ptr<SQLite::Database> open(const std::filesystem::path& path) {
  const std::string name = path.string();
  try {
    auto database = std::make_unique<SQLite::Database>(
        name, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE, kBusyMilliseconds);
    check_owner(*database, name);
    database->exec("PRAGMA foreign_keys = ON");
    database->exec("PRAGMA synchronous = NORMAL");  // in write-ahead mode: whole after a crash
    use_write_ahead_log(*database);
    create_tables(*database);
    return database;
  } catch (const SQLite::Exception& error) {
    if (error.getErrorCode() == SQLITE_NOTADB) {
      throw InputError(fmt::format("{}: not a database; expected a presil store", name));
    }
    throw InputError(fmt::format("{}: cannot open the store: {}", name, error.what()));
  }
}

void insert_run(SQLite::Database& database, const std::string& id, const RunRecord& run) {
  SQLite::Statement statement(
      database, "INSERT INTO run VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, datetime('now'), ?)");
  execute(statement, id, run.key, run.verb, run.chip, run.model, run.chip_sha256, run.model_sha256,
          run.config_json, std::to_string(run.seed), run.tool_version, run.status, run.wall_s);
}

void insert_metrics(SQLite::Database& database, const std::string& id, const RunRecord& run) {
  SQLite::Statement statement(database, "INSERT INTO metric VALUES (?, ?, ?, ?, ?)");
  for (const MetricRow& m : run.metrics) execute(statement, id, m.scope, m.name, m.value, m.unit);
}

void insert_ops(SQLite::Database& database, const std::string& id, const RunRecord& run) {
  SQLite::Statement statement(database,
                              "INSERT INTO op VALUES (?, ?, ?, nullif(?, -1), ?, ?, ?, ?, ?, ?)");
  std::int64_t position = 0;
  for (const OpRow& op : run.ops) {
    execute(statement, id, position++, op.phase, op.layer, op.name, op.start_ps, op.end_ps,
            op.flops, op.dram_bytes, op.bound_by);
  }
}

void insert_tokens(SQLite::Database& database, const std::string& id, const RunRecord& run) {
  SQLite::Statement statement(database, "INSERT INTO token VALUES (?, ?, ?, ?)");
  std::int64_t position = 0;
  for (const TokenRow& token : run.tokens) {
    execute(statement, id, position++, token.id, token.text);
  }
}

void insert_result(SQLite::Database& database, const std::string& id, const RunRecord& run) {
  const std::string hash = sha256(run.result_json);
  SQLite::Statement blob(database, "INSERT OR IGNORE INTO blob VALUES (?, 'result', ?)");
  blob.bind(1, hash);
  blob.bind(2, run.result_json.data(), static_cast<int>(run.result_json.size()));
  blob.exec();
  SQLite::Statement artefact(database, "INSERT INTO artefact VALUES (?, 'result', ?)");
  execute(artefact, id, hash);
}

void drop_unused_blobs(SQLite::Database& database) {
  database.exec("DELETE FROM blob WHERE sha256 NOT IN (SELECT sha256 FROM artefact)");
}

// SQLite's own failures while we write (disk full, file removed) are for the user to mend.
template <class Work>
auto with_errors_named(const SQLite::Database& database, const Work& work) {
  try {
    return work();
  } catch (const SQLite::Exception& error) {
    throw InputError(fmt::format("{}: {}", database.getFilename(), error.what()));
  }
}

std::optional<std::string> first_text(SQLite::Statement& query) {
  if (!query.executeStep()) return std::nullopt;
  return query.getColumn(0).getString();
}

}  // namespace

Store::Store(const std::filesystem::path& path) : database_(open(path)) {}

Store::~Store() = default;

std::string Store::add(const RunRecord& run) {
  CHECK(run.key.size() > kIdDigits, "a run is stored under its content key");
  const std::scoped_lock lock(mutex_);
  return with_errors_named(*database_, [&] {
    const std::string id = id_of(run.key);
    SQLite::Transaction transaction(*database_, SQLite::TransactionBehavior::IMMEDIATE);
    SQLite::Statement replaced(*database_, "DELETE FROM run WHERE key = ?");
    if (execute(replaced, run.key) > 0) drop_unused_blobs(*database_);
    insert_run(*database_, id, run);
    insert_metrics(*database_, id, run);
    insert_ops(*database_, id, run);
    insert_tokens(*database_, id, run);
    insert_result(*database_, id, run);
    transaction.commit();
    return id;
  });
}

std::optional<std::string> Store::run_result(std::string_view id) const {
  if (id.empty()) return std::nullopt;
  const std::scoped_lock lock(mutex_);
  return with_errors_named(*database_, [&] {
    SQLite::Statement query(
        *database_,
        "SELECT CAST(bytes AS TEXT) FROM artefact JOIN run ON run.id = run_id "
        "JOIN blob USING (sha256) WHERE substr(key, 1, length(?1)) = ?1 AND artefact.kind = "
        "'result' ORDER BY key LIMIT 1");
    query.bind(1, std::string(id));
    return first_text(query);
  });
}

std::vector<RunSummary> Store::runs() const {
  const std::scoped_lock lock(mutex_);
  return with_errors_named(*database_, [&] {
    SQLite::Statement query(*database_,
                            "SELECT id, verb, chip, model, status, started FROM run "
                            "ORDER BY started DESC, id");
    std::vector<RunSummary> runs;
    while (query.executeStep()) {
      runs.push_back({.id = query.getColumn(0).getString(),
                      .verb = query.getColumn(1).getString(),
                      .chip = query.getColumn(2).getString(),
                      .model = query.getColumn(3).getString(),
                      .status = query.getColumn(4).getString(),
                      .started = query.getColumn(5).getString()});
    }
    return runs;
  });
}

std::optional<std::string> Store::find_result(std::string_view key) const {
  const std::scoped_lock lock(mutex_);
  return with_errors_named(*database_, [&] {
    SQLite::Statement query(*database_, "SELECT result FROM point WHERE key = ?");
    query.bind(1, std::string(key));
    return first_text(query);
  });
}

void Store::put_result(std::string_view key, std::string_view result_json) {
  const std::scoped_lock lock(mutex_);
  with_errors_named(*database_, [&] {
    SQLite::Statement statement(*database_,
                                "INSERT INTO point VALUES (?, ?) "
                                "ON CONFLICT (key) DO UPDATE SET result = excluded.result");
    execute(statement, std::string(key), std::string(result_json));
  });
}

std::string Store::add_sweep(std::string_view key, std::string_view request_json,
                             const std::vector<SweepPoint>& points) {
  const std::scoped_lock lock(mutex_);
  return with_errors_named(*database_, [&] {
    const std::string id = id_of(key);
    SQLite::Transaction transaction(*database_, SQLite::TransactionBehavior::IMMEDIATE);
    SQLite::Statement replaced(*database_, "DELETE FROM sweep WHERE key = ?");
    execute(replaced, std::string(key));
    SQLite::Statement sweep(*database_, "INSERT INTO sweep VALUES (?, ?, ?, datetime('now'))");
    execute(sweep, id, std::string(key), std::string(request_json));
    SQLite::Statement member(*database_, "INSERT INTO sweep_point VALUES (?, ?, ?, ?)");
    std::int64_t position = 0;
    for (const SweepPoint& point : points) {
      execute(member, id, position++, point.settings_json, point.key);
    }
    transaction.commit();
    return id;
  });
}

}  // namespace presil

// The tables of the store. Times in the rows are picoseconds; STRICT tables refuse wrong types.
#pragma once

namespace presil {

/// Creates version Store::kVersion in an empty database.
inline constexpr const char* kSchema = R"sql(
CREATE TABLE blob (
  sha256 TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  bytes BLOB NOT NULL
) STRICT;

CREATE TABLE run (
  id TEXT PRIMARY KEY,
  key TEXT NOT NULL UNIQUE,
  verb TEXT NOT NULL,
  chip TEXT NOT NULL,
  model TEXT NOT NULL,
  chip_sha256 TEXT NOT NULL,
  model_sha256 TEXT NOT NULL,
  config TEXT NOT NULL CHECK (json_valid(config)),
  seed TEXT NOT NULL,
  tool_version TEXT NOT NULL,
  status TEXT NOT NULL,
  started TEXT NOT NULL,
  wall_s REAL NOT NULL
) STRICT;

CREATE TABLE metric (
  run_id TEXT NOT NULL REFERENCES run ON DELETE CASCADE,
  scope TEXT NOT NULL,
  name TEXT NOT NULL,
  value REAL NOT NULL,
  unit TEXT NOT NULL,
  PRIMARY KEY (run_id, scope, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE op (
  run_id TEXT NOT NULL REFERENCES run ON DELETE CASCADE,
  position INTEGER NOT NULL,
  phase TEXT NOT NULL,
  layer INTEGER,
  name TEXT NOT NULL,
  start_ps INTEGER NOT NULL,
  end_ps INTEGER NOT NULL,
  flops REAL NOT NULL,
  dram_bytes REAL NOT NULL,
  bound_by TEXT NOT NULL,
  PRIMARY KEY (run_id, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE token (
  run_id TEXT NOT NULL REFERENCES run ON DELETE CASCADE,
  position INTEGER NOT NULL,
  id INTEGER NOT NULL,
  text TEXT NOT NULL,
  PRIMARY KEY (run_id, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE artefact (
  run_id TEXT NOT NULL REFERENCES run ON DELETE CASCADE,
  kind TEXT NOT NULL,
  sha256 TEXT NOT NULL REFERENCES blob,
  PRIMARY KEY (run_id, kind)
) STRICT, WITHOUT ROWID;

CREATE TABLE point (
  key TEXT PRIMARY KEY,
  result TEXT NOT NULL CHECK (json_valid(result))
) STRICT, WITHOUT ROWID;

CREATE TABLE sweep (
  id TEXT PRIMARY KEY,
  key TEXT NOT NULL UNIQUE,
  request TEXT NOT NULL CHECK (json_valid(request)),
  started TEXT NOT NULL
) STRICT;

CREATE TABLE sweep_point (
  sweep_id TEXT NOT NULL REFERENCES sweep ON DELETE CASCADE,
  position INTEGER NOT NULL,
  settings TEXT NOT NULL CHECK (json_valid(settings)),
  point_key TEXT NOT NULL REFERENCES point,
  PRIMARY KEY (sweep_id, position)
) STRICT, WITHOUT ROWID;

-- One wide row a run.
CREATE VIEW v_summary AS
SELECT run.id, run.verb, run.chip, run.model, run.status, run.started, run.wall_s,
  max(value) FILTER (WHERE scope = 'prefill' AND name = 'time_s') AS prefill_time_s,
  max(value) FILTER (WHERE scope = 'prefill' AND name = 'tokens_per_s') AS prefill_tokens_per_s,
  max(value) FILTER (WHERE scope = 'prefill' AND name = 'energy_j') AS prefill_energy_j,
  max(value) FILTER (WHERE scope = 'decode' AND name = 'time_s') AS decode_time_s,
  max(value) FILTER (WHERE scope = 'decode' AND name = 'tokens_per_s') AS decode_tokens_per_s,
  max(value) FILTER (WHERE scope = 'decode' AND name = 'energy_j') AS decode_energy_j,
  max(value) FILTER (WHERE scope = 'cost' AND name = 'usd_per_mtoken') AS usd_per_mtoken
FROM run LEFT JOIN metric ON metric.run_id = run.id
GROUP BY run.id;

-- The runs of a model that no other run of it beats in both speed and price.
CREATE VIEW v_pareto AS
SELECT * FROM v_summary AS mine
WHERE mine.decode_tokens_per_s IS NOT NULL AND mine.usd_per_mtoken IS NOT NULL
  AND NOT EXISTS (
    SELECT 1 FROM v_summary AS other
    WHERE other.model = mine.model
      AND other.decode_tokens_per_s >= mine.decode_tokens_per_s
      AND other.usd_per_mtoken <= mine.usd_per_mtoken
      AND (other.decode_tokens_per_s > mine.decode_tokens_per_s
           OR other.usd_per_mtoken < mine.usd_per_mtoken));
)sql";

}  // namespace presil

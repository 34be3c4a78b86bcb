// Measured rows, as data/silicon keeps them: one CSV an operator, plain or gzipped.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace presil::silicon {

enum class MeasuredOp { gemm, attention_prefill, attention_decode, collective };

std::string_view to_string(MeasuredOp op);  // the stem of its file

/// One measured call. Fields that the operator's file lacks stay at their defaults.
struct Row {
  MeasuredOp op = MeasuredOp::gemm;
  std::string source, chip, backend, backend_version, kernel;
  std::string kind;  // the file's column `op`: "all_reduce", "alltoall", ...
  std::string dtype, kv_dtype;
  std::int64_t m = 0, n = 0, k = 0;
  std::int64_t batch = 0, seq = 0, context = 0, heads = 0, kv_heads = 0, head_dim = 0, window = 0;
  std::int64_t tp = 0;
  double bytes = 0;
  double latency_us = 0;
};

struct Dataset {
  std::vector<Row> rows;           // in file order, files by name
  std::vector<std::string> notes;  // unknown files, ignored columns
};

/// Reads every *.csv and *.csv.gz of `folder`. Throws MissingInput for a missing folder and
/// InputError with file and line for a row that is not whole, a number that is none, a size or a
/// latency that is not positive.
Dataset read_rows(const std::filesystem::path& folder);

}  // namespace presil::silicon

#include "values/access_log.h"

namespace presil {

void AccessLog::record(int tensor, bool write, std::int64_t begin, std::int64_t end) {
  if (begin == end) return;
  const std::lock_guard lock(mutex_);
  accesses_.push_back({place_, tensor, write, begin, end});
}

void WeightTap::read(std::int64_t row) const {
  const std::int64_t elements = bytes_of(tensor->format, tensor->columns).count();
  // The scales of the first `rows` rows.
  const auto scales = [&](std::int64_t rows) {
    return rows == 0 ? 0 : tensor->bytes(rows).count() - rows * elements;
  };
  const std::int64_t after_elements = base + tensor->rows.scale * elements;
  log->record(index, false, base + row * elements, base + (row + 1) * elements);
  log->record(index, false, after_elements + scales(row), after_elements + scales(row + 1));
}

void CacheTap::touch(bool write, std::int64_t begin, std::int64_t end) const {
  log->record(index, write, base + begin * token_bytes, base + end * token_bytes);
}

}  // namespace presil

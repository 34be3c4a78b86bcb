// The describing pass over a file of one kind: the twin of read_file.
#pragma once

#include <string>
#include <string_view>

#include "base/fields.h"

namespace presil {

/// The schema of the files that start with `presil: KIND/1` and are read by `read(Fields&)`.
template <class F>
Schema describe_file(std::string_view kind, std::string_view doc, F read) {
  Schema schema;
  schema.name = std::string(kind);
  schema.type = "map";
  schema.doc = std::string(doc);
  schema.required = true;
  Fields fields(schema);
  read_header(fields, kind);
  read(fields);
  fields.raw("sources", "where each number is from: {value: found, ref: ...}");
  return schema;
}

}  // namespace presil

#include "model/gguf_writer.h"

#include <algorithm>
#include <fstream>

#include <fmt/format.h>

#include "base/error.h"

namespace presil {
namespace {

template <class T>
std::string raw(T value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

std::uint32_t ggml_id(Format format) {
  for (const GgmlFormat& f : ggml_formats()) {
    if (f.format == format) return f.id;
  }
  throw InternalError(fmt::format("{} is not a format of GGUF files", to_string(format)));
}

std::uint64_t aligned(std::uint64_t offset, std::size_t alignment) {
  return (offset + alignment - 1) / alignment * alignment;
}

std::uint64_t size_of(const GgufSource& t) {
  std::int64_t elements = 1;
  for (const std::int64_t d : t.shape) elements *= d;
  return static_cast<std::uint64_t>(bytes_of(t.format, elements).count());
}

}  // namespace

GgufHead& GgufHead::key(std::string_view name, GgufType type, const std::string& value) {
  keys_ += text(name) + raw(static_cast<std::uint32_t>(type)) + value;
  ++n_keys_;
  return *this;
}

GgufHead& GgufHead::key(std::string_view name, const GgufValue& value) {
  const std::string_view bytes = as_text(value.bytes);
  switch (value.type) {
    case GgufType::string:
      return string(name, bytes);
    case GgufType::array:
      return key(name, value.type, array_head(value.element, value.count).append(bytes));
    default:
      return key(name, value.type, std::string(bytes));
  }
}

GgufHead& GgufHead::u32(std::string_view name, std::uint32_t value) {
  return key(name, GgufType::u32, raw(value));
}
GgufHead& GgufHead::u64(std::string_view name, std::uint64_t value) {
  return key(name, GgufType::u64, raw(value));
}
GgufHead& GgufHead::f32(std::string_view name, float value) {
  return key(name, GgufType::f32, raw(value));
}
GgufHead& GgufHead::flag(std::string_view name, bool value) {
  return key(name, GgufType::boolean, raw(value));
}
GgufHead& GgufHead::string(std::string_view name, std::string_view value) {
  return key(name, GgufType::string, text(value));
}

GgufHead& GgufHead::strings(std::string_view name, std::span<const std::string> values) {
  std::string items = array_head(GgufType::string, values.size());
  for (const std::string& v : values) items += text(v);
  return key(name, GgufType::array, items);
}

GgufHead& GgufHead::integers(std::string_view name, std::span<const std::int32_t> values) {
  std::string items = array_head(GgufType::i32, values.size());
  for (const std::int32_t v : values) items += raw(v);
  return key(name, GgufType::array, items);
}

GgufHead& GgufHead::tensor(std::string_view name, std::uint32_t type,
                           std::span<const std::int64_t> shape, std::uint64_t offset) {
  table_ += text(name) + raw(static_cast<std::uint32_t>(shape.size()));
  for (auto d = shape.rbegin(); d != shape.rend(); ++d) table_ += raw(*d);
  table_ += raw(type) + raw(offset);
  ++n_tensors_;
  return *this;
}

std::string GgufHead::bytes(std::size_t alignment) const {
  std::string head = "GGUF" + raw(std::uint32_t{3}) + raw(n_tensors_) + raw(n_keys_);
  head += keys_ + table_;
  head.resize(aligned(head.size(), alignment));
  return head;
}

std::string GgufHead::text(std::string_view text) {
  return raw(std::uint64_t{text.size()}).append(text);
}

std::string GgufHead::array_head(GgufType element, std::uint64_t count) {
  return raw(static_cast<std::uint32_t>(element)) + raw(count);
}

void write_gguf(const std::filesystem::path& path, GgufHead head,
                std::span<const GgufSource> tensors) {
  std::uint64_t end = 0;
  for (const GgufSource& t : tensors) {
    const std::uint64_t offset = aligned(end, GgufHead::kGgufAlignment);
    head.tensor(t.name, ggml_id(t.format), t.shape, offset);
    end = offset + size_of(t);
  }
  std::ofstream out(path, std::ios::binary);
  out << head.bytes();
  for (const GgufSource& t : tensors) {
    const auto begin = out.tellp();
    t.write(out);
    const std::uint64_t size = size_of(t);
    CHECK(!out || out.tellp() - begin == static_cast<std::streamoff>(size),
          "a tensor has the bytes of its shape");
    out << std::string(aligned(size, GgufHead::kGgufAlignment) - size, '\0');
  }
  out.flush();
  if (!out) throw InputError(fmt::format("{}: cannot be written", path.string()));
}

}  // namespace presil

#include "model/fp32_copy.h"

#include <ostream>
#include <string_view>
#include <vector>

#include "base/mapped_file.h"
#include "model/gguf.h"
#include "model/gguf_writer.h"

namespace presil {
namespace {

constexpr std::uint32_t kAllF32 = 0;  // llama.h, enum llama_ftype

void write_floats(std::ostream& out, const WeightTensor& tensor, const RowToFloats& to_floats) {
  std::vector<float> row(static_cast<std::size_t>(tensor.shape.back()));
  const std::int64_t rows = tensor.shape.size() == 1 ? 1 : tensor.shape.front();
  for (std::int64_t r = 0; r < rows; ++r) {
    to_floats(tensor, r, row);
    out.write(reinterpret_cast<const char*>(row.data()),
              static_cast<std::streamsize>(row.size() * sizeof(float)));
  }
}

}  // namespace

void write_fp32_copy(const Weights& weights, const std::filesystem::path& path,
                     const RowToFloats& to_floats) {
  const MappedFile file(weights.path());
  const Gguf source(file.bytes(), weights.path());
  GgufHead head;
  for (const auto& [name, value] : source.values()) {
    if (name == "general.alignment" || name == "general.file_type") continue;
    head.key(name, value);
  }
  head.u32("general.file_type", kAllF32);

  std::vector<GgufSource> tensors;
  for (const WeightTensor& t : weights.tensors()) {
    tensors.push_back({t.name, Format::fp32, t.shape,
                       [&t, &to_floats](std::ostream& out) { write_floats(out, t, to_floats); }});
  }
  write_gguf(path, std::move(head), tensors);
}

}  // namespace presil

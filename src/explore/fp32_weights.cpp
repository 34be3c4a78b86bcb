#include "explore/fp32_weights.h"

#include <cstdlib>
#include <string>

#include <fmt/format.h>

#include "base/error.h"
#include "base/progress.h"
#include "model/fp32_copy.h"
#include "model/weights.h"
#include "values/weight_view.h"

namespace presil {
namespace {

void remove_folder_of(const std::filesystem::path& file) {
  std::error_code ignored;
  std::filesystem::remove_all(file.parent_path(), ignored);
}

}  // namespace

Fp32Weights::Fp32Weights(const std::filesystem::path& file, const std::filesystem::path& folder) {
  const Weights weights = Weights::open_gguf(file);
  std::string made = (folder / ".fp32.XXXXXX").string();
  if (mkdtemp(made.data()) == nullptr) {
    throw InputError(fmt::format("no folder could be made in {}", folder.string()));
  }
  path_ = std::filesystem::path(made) / file.filename();
  const Progress progress("writing the weights in F32");
  try {
    write_fp32_copy(weights, path_,
                    [](const WeightTensor& tensor, std::int64_t row, std::span<float> out) {
                      const WeightView view(tensor);
                      view.to_floats(row, view.offline_row(row), out);
                    });
  } catch (...) {
    remove_folder_of(path_);
    throw;
  }
}

Fp32Weights::~Fp32Weights() {
  remove_folder_of(path_);
}

}  // namespace presil

#include "kernels/laws.h"

#include "kernels/attention_law.h"
#include "kernels/collective_law.h"
#include "kernels/gemm_law.h"

namespace presil::kernels {

std::vector<LawInfo> all_laws() {
  return {gemm_law(), prefill_law(), decode_law(), collective_law()};
}

ConstantTable read_constants(const std::filesystem::path& file) {
  return read_constants(file, all_laws());
}

}  // namespace presil::kernels

#include "explore/calibrated.h"

#include <string>
#include <vector>

#include "base/document.h"
#include "model/tokenizer.h"

namespace presil {
Calibration calibration_for(const Program& program, const Weights& weights,
                            const std::filesystem::path& home) {
  if (program.numerics.smoothing == 0) return {};
  constexpr std::size_t kLongestText = std::size_t{1} << 16;
  const std::string text = read_text(home / "data" / "calibration.txt", kLongestText);
  std::vector<int> tokens = tokenizer_of(weights).encode_prompt(text, true);
  if (tokens.size() > kCalibrationTokens) tokens.resize(kCalibrationTokens);
  return calibrate(program, weights, tokens);
}

}  // namespace presil

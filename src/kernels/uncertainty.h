// By how much a law's prediction may be off: low and high beside each time.
//
// The scoreboard compares predictions with measured kernels and writes what it finds into
// software/uncertainty.yaml: for each law, number type and regime, the ratios of measured to
// predicted time that nine of ten rows stay above and below. How far a chip is from those that
// constants were fitted on decides which ratios hold: predictions of shapes held back, of a chip
// held back whole, or something between.
#pragma once

#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "kernels/law.h"

namespace presil::kernels {

/// What most of a kernel's time is charged to, as predicted.
enum class Regime { launch, memory, compute, link };
std::string_view to_string(Regime regime);

/// Of a kernel by its terms, as cycles charges its time: to DRAM or to `engine` what both overlap
/// in, whichever is longer; to `engine` what comes after; the rest to the launch.
Regime regime_of(const Terms& terms, double dram_us, Regime engine = Regime::compute);

/// How near a chip is to what constants were fitted on.
enum class Nearness {
  fitted,      // that very chip
  generation,  // another chip with the same matrix engines' instructions
  unseen,      // another generation
  unmeasured,  // without a kernel library: nobody measured any of its kernels
};
std::string_view to_string(Nearness nearness);

/// Measured over predicted: eight of ten rows lie between.
struct ErrorBand {
  double low = 0.5, high = 2;
  double rows = 0;  // that it stands on; 0: a guess
};

class Uncertainty {
 public:
  /// The chips that constants were fitted on, by the names that rows call them; of each the
  /// generation of its matrix engines.
  std::map<std::string, std::string> fitted;

  /// How near a chip is that goes by `names`, if it is as its file says (`changed`: it is not).
  Nearness nearness_of(std::span<const std::string> names, const std::string& generation,
                       bool changed) const;

  void set(std::string_view law, std::string_view type, Regime regime, Nearness nearness,
           ErrorBand band);
  /// The band of a law ("gemm", "prefill", "decode", "collective") for a type ("bf16", "fp8_block",
  /// "bf16/fp8"). Where nobody measured the type in this regime: the widest of the law's other
  /// types there, then of its other regimes; without any the guess of ErrorBand.
  ErrorBand band_of(std::string_view law, const std::string& type, Regime regime,
                    Nearness nearness) const;

  // By law, nearness, regime, type.
  using Bands =
      std::map<std::string, std::map<Nearness, std::map<Regime, std::map<std::string, ErrorBand>>>>;
  const Bands& all() const { return bands_; }

 private:
  Bands bands_;
};

/// Reads software/uncertainty.yaml. Throws MissingInput without it and InputError with every
/// complaint.
Uncertainty read_uncertainty(const std::filesystem::path& file);
/// The same as text, for the file.
std::string print_uncertainty(const Uncertainty& uncertainty);

}  // namespace presil::kernels

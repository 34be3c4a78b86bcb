// The fitted constants of the kernel laws: what they mean, what they depend on, and their values.
//
// A law lists its constants once (ConstantInfo). The list bounds each to what it physically is, and
// says what it may depend on: nothing (one value for all silicon), the engine, the number type, the
// generation of tensor cores, the kernel class. The values stand in software/constants.yaml, which
// `presil verify silicon --fit` writes; a situation nobody measured takes the nearest one's, and
// says so.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace presil::kernels {

/// What a constant may depend on; a set of these bits.
enum Depends : unsigned {
  kNothing = 0,
  kEngine = 1,      // "trtllm", "vllm", "sglang", "pytorch", "nccl"
  kType = 2,        // "bf16", "fp8", "fp8_block", ...; with a KV cache of its own type "bf16/fp8"
  kGeneration = 4,  // of matrix engines: "mma", "wgmma", ...
  kKernel = 8,      // class of kernel: "fa3", "grouped", ...
};

/// Where a kernel runs, in the words that constants are looked up by.
struct Situation {
  std::string engine, type, generation, kernel;
  auto operator<=>(const Situation&) const = default;
};

struct ConstantInfo {
  std::string_view name;    // "start_us": the unit stands in the name
  double start, low, high;  // first guess, and what it can physically be
  unsigned depends;
  std::string_view meaning;
};

/// The values of one law's constants in one situation, in the order of its list.
using Constants = std::span<const double>;

/// A law by name with its list; all laws are in laws.h.
struct LawInfo {
  std::string_view name;  // "gemm", "prefill", "decode", "collective"
  std::span<const ConstantInfo> constants;
};

/// The situation cut to what `depends` says, as a key: "trtllm fp8 * *".
std::string scope_of(const Situation& situation, unsigned depends);

class ConstantTable {
 public:
  ConstantTable() = default;
  ConstantTable(const ConstantTable& other) : fitted_on(other.fitted_on), values_(other.values_) {}
  ConstantTable& operator=(const ConstantTable& other);

  void set(std::string_view law, std::string_view constant, const std::string& scope, double value);
  /// The values of `law` in `situation`. What has no entry takes the nearest scope's (same engine
  /// and type of another generation first, then the same type of another engine, then a kernel
  /// whose name begins alike, then any, then the list's first guess); `borrowed`, when given, gets
  /// "start_us from trtllm fp8 wgmma".
  std::vector<double> values(const LawInfo& law, const Situation& situation,
                             std::vector<std::string>* borrowed) const;
  /// The same, looked up once for each law (a name stands for one) and situation; any thread may
  /// call this.
  std::vector<double> values(const LawInfo& law, const Situation& situation) const;
  const std::map<std::string, std::map<std::string, std::map<std::string, double>>>& all() const {
    return values_;
  }
  bool empty() const { return values_.empty(); }

  /// What the values were fitted on, in words: a line a chip and operator.
  std::vector<std::string> fitted_on;

 private:
  // By law, constant, scope.
  std::map<std::string, std::map<std::string, std::map<std::string, double>>> values_;
  // What was looked up since values were last set.
  mutable std::mutex mutex_;
  mutable std::map<std::pair<std::string_view, Situation>, std::vector<double>> found_;
};

/// Reads software/constants.yaml. Throws MissingInput without the file, and InputError with every
/// complaint: laws and constants that are not among `laws`, values out of bounds.
ConstantTable read_constants(const std::filesystem::path& file, std::span<const LawInfo> laws);
/// The same with all laws (laws.h).
ConstantTable read_constants(const std::filesystem::path& file);

/// The same table as text, for the file; equal tables give equal bytes. What `laws` say of a
/// constant stands above it.
std::string print_constants(const ConstantTable& table, std::span<const LawInfo> laws);

}  // namespace presil::kernels

#include "kernels/constants.h"

#include <array>
#include <cmath>
#include <cstdlib>
#include <string_view>

#include <fmt/format.h>

namespace presil::kernels {
namespace {

using ScopeParts = std::array<std::string_view, 4>;

ScopeParts parts_of(std::string_view scope) {
  ScopeParts parts;
  std::size_t begin = 0;
  for (std::string_view& part : parts) {
    const std::size_t end = std::min(scope.find(' ', begin), scope.size());
    part = scope.substr(begin, end - begin);
    begin = std::min(end + 1, scope.size());
  }
  return parts;
}

/// Generations of matrix engines in the order that libraries learned to feed them: synchronous ones
/// of all makers first.
int age_of(std::string_view generation) {
  if (generation == "tcgen05") return 3;
  if (generation == "wgmma") return 2;
  return generation == "mma" ? 1 : 0;
}

/// Whether two classes of kernels are of one family, which their names begin with: "fa3_fp8" and
/// "fa3".
bool of_one_family(std::string_view kernel, std::string_view other) {
  return kernel.substr(0, kernel.find('_')) == other.substr(0, other.find('_'));
}

/// How far a scope is from a situation: a missing type weighs most, a missing generation least. Of
/// several kernels those of the same family are nearest. A part that the constant does not depend
/// on weighs nothing.
int distance(const ScopeParts& scope, const ScopeParts& situation) {
  constexpr std::array<int, 4> kWeights = {8, 32, 0, 16};  // engine, type, generation, kernel
  constexpr int kFamily = 4;
  int sum = 0;
  for (std::size_t i = 0; i < scope.size(); ++i) {
    if (scope[i] != "*" && scope[i] != situation[i]) sum += kWeights[i];
  }
  constexpr std::size_t kGenerationPart = 2, kKernelPart = 3;
  if (scope[kKernelPart] != situation[kKernelPart] &&
      of_one_family(scope[kKernelPart], situation[kKernelPart])) {
    sum -= kFamily;
  }
  if (scope[kGenerationPart] != "*") {
    sum += std::abs(age_of(scope[kGenerationPart]) - age_of(situation[kGenerationPart]));
  }
  return sum;
}

}  // namespace

std::string scope_of(const Situation& s, unsigned depends) {
  const auto part = [&](unsigned bit, const std::string& text) {
    return (depends & bit) != 0 && !text.empty() ? text : std::string("*");
  };
  return fmt::format("{} {} {} {}", part(kEngine, s.engine), part(kType, s.type),
                     part(kGeneration, s.generation), part(kKernel, s.kernel));
}

void ConstantTable::set(std::string_view law, std::string_view constant, const std::string& scope,
                        double value) {
  values_[std::string(law)][std::string(constant)][scope] = value;
  found_.clear();
}

ConstantTable& ConstantTable::operator=(const ConstantTable& other) {
  fitted_on = other.fitted_on;
  values_ = other.values_;
  found_.clear();
  return *this;
}

std::vector<double> ConstantTable::values(const LawInfo& law, const Situation& situation) const {
  const std::lock_guard lock(mutex_);
  const auto [entry, is_new] = found_.try_emplace({law.name, situation});
  if (is_new) entry->second = values(law, situation, nullptr);
  return entry->second;
}

std::vector<double> ConstantTable::values(const LawInfo& law, const Situation& situation,
                                          std::vector<std::string>* borrowed) const {
  std::vector<double> result;
  const auto of_law = values_.find(std::string(law.name));
  for (const ConstantInfo& info : law.constants) {
    result.push_back(info.start);
    if (of_law == values_.end()) continue;
    const auto by_scope = of_law->second.find(std::string(info.name));
    if (by_scope == of_law->second.end()) continue;
    const std::string wanted = scope_of(situation, info.depends);
    const ScopeParts wanted_parts = parts_of(wanted);
    int least = 1 << 20;
    const std::string* nearest = nullptr;
    for (const auto& [scope, value] : by_scope->second) {
      const int d = distance(parts_of(scope), wanted_parts);
      if (d >= least) continue;
      least = d;
      nearest = &scope;
      result.back() = value;
    }
    if (borrowed && nearest && least > 0) {
      borrowed->push_back(fmt::format("{} from {}", info.name, *nearest));
    }
  }
  return result;
}

}  // namespace presil::kernels

#include "silicon/fit.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <string>

#include "base/parallel.h"

namespace presil::silicon {
namespace {

using kernels::ConstantInfo;
using kernels::ConstantTable;

constexpr std::size_t kChunk = 512;  // rows a thread takes at a time
constexpr double kSoft = 0.02;       // log ratios below this are treated as squares
constexpr double kStep = 0.01;       // of a numerical derivative, in scaled units
constexpr double kMaxMove = 0.7;     // of one round, in scaled units

/// One free number: a constant in one scope.
struct Parameter {
  std::size_t constant;
  std::string scope;
  double value;
};

/// Positive constants are moved by their logarithm (bounds over a factor of three), others linearly
/// by their range.
double scale_up(const ConstantInfo& c, double value, double by) {
  const double moved =
      c.low > 0 && c.high / c.low > 3 ? value * std::exp(by) : value + by * (c.high - c.low);
  // A constant that may be zero starts moving from a thousandth of its range.
  return std::clamp(moved, c.low, c.high);
}

class Fitter {
 public:
  Fitter(const FitProblem& problem, const FitOptions& options)
      : p_(problem), rows_(problem.measured_us.size()) {
    std::map<std::pair<std::size_t, std::string>, std::size_t> known;
    for (const kernels::Situation& s : p_.situations) {
      const std::vector<double> begin = options.start.values(p_.law, s);
      std::vector<std::size_t> of;
      for (std::size_t c = 0; c < p_.law.constants.size(); ++c) {
        const std::string scope = scope_of(s, p_.law.constants[c].depends);
        const auto [at, fresh] = known.try_emplace({c, scope}, parameters_.size());
        if (fresh) parameters_.push_back({c, scope, begin[c]});
        of.push_back(at->second);
      }
      parameters_of_.push_back(std::move(of));
    }
    rows_of_.resize(p_.situations.size());
    for (std::size_t r = 0; r < rows_; ++r) rows_of_[p_.situation_of[r]].push_back(r);
  }

  ConstantTable run(const FitOptions& options) {
    ConstantTable table = options.start;
    residuals_ = all_residuals();
    double loss = loss_of(residuals_);
    double damping = 0.01;
    for (int round = 0; round < options.rounds; ++round) {
      const double before = loss;
      loss = improve(loss, damping);
      if (before - loss < 1e-5 * before && damping > 1e3) break;
    }
    for (const Parameter& p : parameters_) {
      table.set(p_.law.name, p_.law.constants[p.constant].name, p.scope, p.value);
    }
    return table;
  }

 private:
  double weight(std::size_t row) const { return p_.weight.empty() ? 1 : p_.weight[row]; }

  std::vector<double> constants_of(std::size_t situation) const {
    std::vector<double> values;
    for (const std::size_t i : parameters_of_[situation]) values.push_back(parameters_[i].value);
    return values;
  }

  /// Log ratios of the rows of one situation, in the order of rows_of_.
  std::vector<double> residuals_of(std::size_t situation) const {
    const std::vector<std::size_t>& rows = rows_of_[situation];
    const std::vector<double> values = constants_of(situation);
    std::vector<double> result(rows.size());
    parallel_each((rows.size() + kChunk - 1) / kChunk, [&](std::size_t chunk) {
      const std::size_t end = std::min(rows.size(), (chunk + 1) * kChunk);
      for (std::size_t i = chunk * kChunk; i < end; ++i) {
        result[i] = std::log(p_.predict(rows[i], values) / p_.measured_us[rows[i]]);
      }
    });
    return result;
  }

  std::vector<std::vector<double>> all_residuals() const {
    std::vector<std::vector<double>> all;
    for (std::size_t s = 0; s < p_.situations.size(); ++s) all.push_back(residuals_of(s));
    return all;
  }

  double loss_of(const std::vector<std::vector<double>>& residuals) const {
    double sum = 0;
    for (std::size_t s = 0; s < residuals.size(); ++s) {
      for (std::size_t i = 0; i < residuals[s].size(); ++i) {
        sum += weight(rows_of_[s][i]) * std::hypot(residuals[s][i], kSoft);
      }
    }
    return sum;
  }

  bool uses(std::size_t situation, std::size_t parameter) const {
    const auto& of = parameters_of_[situation];
    return std::find(of.begin(), of.end(), parameter) != of.end();
  }

  /// One damped Gauss-Newton step with weights 1 / |residual|.
  double improve(double loss, double& damping) {
    const std::size_t n = parameters_.size();
    // By situation and parameter: derivatives of its rows.
    std::vector<std::map<std::size_t, std::vector<double>>> slopes(p_.situations.size());
    for (std::size_t j = 0; j < n; ++j) {
      const ConstantInfo& c = p_.law.constants[parameters_[j].constant];
      const double kept = parameters_[j].value;
      double by = kStep;
      double moved = scale_up(c, kept, by);
      if (moved == kept) moved = scale_up(c, kept, by = -kStep);
      parameters_[j].value = moved;
      for (std::size_t s = 0; s < p_.situations.size(); ++s) {
        if (!uses(s, j)) continue;
        std::vector<double> slope = residuals_of(s);
        for (std::size_t i = 0; i < slope.size(); ++i)
          slope[i] = (slope[i] - residuals_[s][i]) / by;
        slopes[s].emplace(j, std::move(slope));
      }
      parameters_[j].value = kept;
    }
    std::vector<double> a(n * n, 0), b(n, 0);
    for (std::size_t s = 0; s < slopes.size(); ++s) {
      for (std::size_t i = 0; i < residuals_[s].size(); ++i) {
        const double r = residuals_[s][i];
        const double w = weight(rows_of_[s][i]) / std::hypot(r, kSoft);
        for (const auto& [j, slope] : slopes[s]) {
          b[j] -= w * slope[i] * r;
          for (const auto& [k, other] : slopes[s]) a[j * n + k] += w * slope[i] * other[i];
        }
      }
    }
    for (std::size_t j = 0; j < n; ++j) {
      if (!held(parameters_[j], b[j])) continue;
      for (std::size_t k = 0; k < n; ++k) a[j * n + k] = a[k * n + j] = 0;
      b[j] = 0;
    }
    for (int attempt = 0; attempt < 8; ++attempt) {
      std::vector<double> m = a;
      for (std::size_t j = 0; j < n; ++j) m[j * n + j] += damping * (a[j * n + j] + 1e-6) + 1e-9;
      const std::vector<double> step = solve(std::move(m), b);
      const std::vector<Parameter> kept = parameters_;
      for (std::size_t j = 0; j < n; ++j) {
        const ConstantInfo& c = p_.law.constants[parameters_[j].constant];
        parameters_[j].value =
            scale_up(c, parameters_[j].value, std::clamp(step[j], -kMaxMove, kMaxMove));
      }
      std::vector<std::vector<double>> tried = all_residuals();
      const double now = loss_of(tried);
      if (now < loss) {
        residuals_ = std::move(tried);
        damping = std::max(1e-6, damping / 3);
        return now;
      }
      parameters_ = kept;
      damping *= 5;
    }
    return loss;
  }

  /// Whether a parameter stands at a bound that the loss would push it through. The others' step
  /// must not count on its move.
  bool held(const Parameter& p, double push) const {
    const ConstantInfo& c = p_.law.constants[p.constant];
    return (p.value <= c.low && push < 0) || (p.value >= c.high && push > 0);
  }

  /// Gaussian elimination with pivots; the matrix is small and positive.
  static std::vector<double> solve(std::vector<double> a, std::vector<double> b) {
    const std::size_t n = b.size();
    for (std::size_t i = 0; i < n; ++i) {
      std::size_t pivot = i;
      for (std::size_t r = i + 1; r < n; ++r) {
        if (std::abs(a[r * n + i]) > std::abs(a[pivot * n + i])) pivot = r;
      }
      if (a[pivot * n + i] == 0) continue;
      if (pivot != i) {
        for (std::size_t c = 0; c < n; ++c) std::swap(a[i * n + c], a[pivot * n + c]);
        std::swap(b[i], b[pivot]);
      }
      for (std::size_t r = i + 1; r < n; ++r) {
        const double factor = a[r * n + i] / a[i * n + i];
        if (factor == 0) continue;
        for (std::size_t c = i; c < n; ++c) a[r * n + c] -= factor * a[i * n + c];
        b[r] -= factor * b[i];
      }
    }
    for (std::size_t i = n; i-- > 0;) {
      for (std::size_t c = i + 1; c < n; ++c) b[i] -= a[i * n + c] * b[c];
      b[i] = a[i * n + i] == 0 ? 0 : b[i] / a[i * n + i];
    }
    return b;
  }

  const FitProblem& p_;
  const std::size_t rows_;
  std::vector<Parameter> parameters_;
  std::vector<std::vector<std::size_t>> parameters_of_;  // by situation and constant
  std::vector<std::vector<std::size_t>> rows_of_;        // by situation
  std::vector<std::vector<double>> residuals_;           // by situation
};

}  // namespace

ConstantTable fit(const FitProblem& problem, const FitOptions& options) {
  return Fitter(problem, options).run(options);
}

double mape(const FitProblem& problem, const ConstantTable& table) {
  std::vector<std::vector<double>> values;
  for (const kernels::Situation& s : problem.situations)
    values.push_back(table.values(problem.law, s));
  double sum = 0;
  for (std::size_t r = 0; r < problem.measured_us.size(); ++r) {
    const double predicted = problem.predict(r, values[problem.situation_of[r]]);
    sum += std::abs(predicted / problem.measured_us[r] - 1);
  }
  const std::size_t rows = std::max<std::size_t>(1, problem.measured_us.size());
  return 100 * sum / static_cast<double>(rows);
}

}  // namespace presil::silicon

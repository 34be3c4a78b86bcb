// For tests: the forward pass written a second time, in double precision, whole matrices at once,
// from the equations of the Llama, Qwen2 and Qwen3 papers. It shares no kernel with `values`.
#pragma once

#include <cmath>
#include <span>
#include <string>
#include <vector>

#include "model/weights.h"
#include "values/ggml/block_formats.h"

namespace presil::testing {

class DoubleForward {
 public:
  using Row = std::vector<double>;

  explicit DoubleForward(const Weights& weights) : weights_(weights), m_(weights.architecture()) {}

  /// The logits after the last of `tokens`.
  Row logits(std::span<const int> tokens) const {
    std::vector<Row> x;
    const auto table = matrix("token_embd.weight");
    for (const int t : tokens) x.push_back(table[static_cast<std::size_t>(t)]);
    for (std::int64_t layer = 0; layer < m_.n_layers; ++layer) {
      add_attention(x, "blk." + std::to_string(layer) + ".");
      add_mlp(x, "blk." + std::to_string(layer) + ".");
    }
    const Row last = norm(x.back(), vector("output_norm.weight"));
    return product(matrix(m_.tied_embeddings ? "token_embd.weight" : "output.weight"), last);
  }

 private:
  std::vector<Row> matrix(const std::string& name) const {
    const WeightTensor& t = *weights_.find(name);
    std::size_t elements = 1;
    for (const std::int64_t d : t.shape) elements *= static_cast<std::size_t>(d);
    std::vector<float> flat(elements);
    dequantise(t.format, t.data, flat);
    std::vector<Row> rows;
    const auto width = t.shape.back();
    for (auto at = flat.begin(); at != flat.end(); at += width) rows.emplace_back(at, at + width);
    return rows;
  }

  Row vector(const std::string& name) const { return matrix(name).front(); }

  static Row product(const std::vector<Row>& w, const Row& x) {
    Row y;
    for (const Row& row : w) {
      double sum = 0;
      for (std::size_t i = 0; i < x.size(); ++i) sum += row[i] * x[i];
      y.push_back(sum);
    }
    return y;
  }

  Row norm(const Row& x, const Row& weight) const {
    double squares = 0;
    for (const double v : x) squares += v * v;
    const double root = std::sqrt(squares / static_cast<double>(x.size()) + m_.norm_eps);
    Row y;
    for (std::size_t i = 0; i < x.size(); ++i) y.push_back(x[i] / root * weight[i]);
    return y;
  }

  /// Heads of q or k: bias, head norm and rotation.
  std::vector<Row> heads(Row row, const std::string& prefix, const std::string& which,
                         std::size_t position) const {
    if (m_.qkv_bias) {
      const Row bias = vector(prefix + which + ".bias");
      for (std::size_t i = 0; i < row.size(); ++i) row[i] += bias[i];
    }
    std::vector<Row> result;
    for (auto at = row.begin(); at != row.end(); at += m_.head_dim) {
      Row head(at, at + m_.head_dim);
      if (which != "attn_v") {
        if (m_.qk_norm) head = norm(head, vector(prefix + which + "_norm.weight"));
        turn(head, static_cast<double>(position));
      }
      result.push_back(head);
    }
    return result;
  }

  void turn(Row& head, double position) const {
    const std::size_t pairs = head.size() / 2;
    const bool has_divisors = weights_.find("rope_freqs.weight") != nullptr;
    for (std::size_t i = 0; i < pairs; ++i) {
      double angle =
          position * std::pow(m_.rope_theta, -static_cast<double>(i) / static_cast<double>(pairs));
      if (has_divisors) angle /= vector("rope_freqs.weight")[i];
      const bool halves = weights_.rope_layout() == RopeLayout::halves;
      double& a = head[halves ? i : 2 * i];
      double& b = head[halves ? i + pairs : 2 * i + 1];
      const double old_a = a;
      a = old_a * std::cos(angle) - b * std::sin(angle);
      b = old_a * std::sin(angle) + b * std::cos(angle);
    }
  }

  void add_attention(std::vector<Row>& x, const std::string& prefix) const {
    const Row weight = vector(prefix + "attn_norm.weight");
    const auto wq = matrix(prefix + "attn_q.weight"), wk = matrix(prefix + "attn_k.weight");
    const auto wv = matrix(prefix + "attn_v.weight"), wo = matrix(prefix + "attn_output.weight");
    std::vector<std::vector<Row>> keys, values;  // token, head
    const auto group = static_cast<std::size_t>(m_.n_heads / m_.n_kv_heads);
    for (std::size_t t = 0; t < x.size(); ++t) {
      const Row h = norm(x[t], weight);
      const auto queries = heads(product(wq, h), prefix, "attn_q", t);
      keys.push_back(heads(product(wk, h), prefix, "attn_k", t));
      values.push_back(heads(product(wv, h), prefix, "attn_v", t));
      Row attended;
      for (std::size_t head = 0; head < queries.size(); ++head) {
        Row mix(static_cast<std::size_t>(m_.head_dim), 0.0);
        double sum = 0;
        for (std::size_t c = 0; c <= t; ++c) {
          double score = 0;
          for (std::size_t i = 0; i < mix.size(); ++i) {
            score += queries[head][i] * keys[c][head / group][i];
          }
          const double p = std::exp(score / std::sqrt(static_cast<double>(m_.head_dim)));
          sum += p;
          for (std::size_t i = 0; i < mix.size(); ++i) mix[i] += p * values[c][head / group][i];
        }
        for (const double v : mix) attended.push_back(v / sum);
      }
      const Row out = product(wo, attended);
      for (std::size_t i = 0; i < out.size(); ++i) x[t][i] += out[i];
    }
  }

  void add_mlp(std::vector<Row>& x, const std::string& prefix) const {
    const Row weight = vector(prefix + "ffn_norm.weight");
    const auto gate = matrix(prefix + "ffn_gate.weight"), up = matrix(prefix + "ffn_up.weight");
    const auto down = matrix(prefix + "ffn_down.weight");
    for (Row& token : x) {
      const Row h = norm(token, weight);
      Row g = product(gate, h);
      const Row u = product(up, h);
      for (std::size_t i = 0; i < g.size(); ++i) g[i] = g[i] / (1 + std::exp(-g[i])) * u[i];
      const Row out = product(down, g);
      for (std::size_t i = 0; i < out.size(); ++i) token[i] += out[i];
    }
  }

  const Weights& weights_;
  const Architecture& m_;
};

}  // namespace presil::testing

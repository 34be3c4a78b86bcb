#include "base/numerics.h"

#include <algorithm>
#include <bit>

#include <fmt/format.h>

namespace presil {
namespace {

constexpr Choice<Format> kOperandFormats[] = {
    {"fp32", Format::fp32},         {"fp16", Format::fp16},         {"bf16", Format::bf16},
    {"fp8_e4m3", Format::fp8_e4m3}, {"fp8_e5m2", Format::fp8_e5m2}, {"fp4_e2m1", Format::fp4_e2m1},
    {"int8", Format::int8},         {"int4", Format::int4},
};
constexpr Choice<Format> kCacheFormats[] = {
    {"fp32", Format::fp32},         {"fp16", Format::fp16},         {"bf16", Format::bf16},
    {"fp8_e4m3", Format::fp8_e4m3}, {"fp8_e5m2", Format::fp8_e5m2}, {"int8", Format::int8},
};
constexpr Choice<Format> kStreamFormats[] = {
    {"fp32", Format::fp32}, {"fp16", Format::fp16}, {"bf16", Format::bf16}};

constexpr std::int64_t kMostGroup = 1024;
constexpr std::int64_t kFewestBits = 2;
constexpr std::int64_t kMostBits = 24;
constexpr std::int64_t kMostPromote = 1 << 20;
constexpr std::int64_t kMostEntries = 65536;

bool is_integer(Format f) {
  return f == Format::int8 || f == Format::int4;
}

bool is_fp8(Format f) {
  return f == Format::fp8_e4m3 || f == Format::fp8_e5m2;
}

bool within(std::int64_t value, std::int64_t least, std::int64_t most) {
  return least <= value && value <= most;
}

/// Wide enough that no scale is needed.
bool is_wide(Format f) {
  return f == Format::fp32 || f == Format::fp16 || f == Format::bf16;
}

/// Spelled in full: with its scaling, where it has one.
std::string shown(const Operand& o) {
  if (o.scaling == Scaling::none) return std::string(to_string(o.format));
  return fmt::format("{} with scales by {}", to_string(o.format), to_string(o.scaling));
}

class Judge {
 public:
  void operand(const std::string& field, const Operand& o) {
    using enum Scaling;
    const std::string scaling = field + ".scaling";
    if (is_wide(o.format) && o.scaling != none) {
      add(scaling, fmt::format("{} needs no scale: expected none", to_string(o.format)));
    }
    if (is_integer(o.format) && o.scaling == none) {
      add(scaling, fmt::format("{} has no meaning without a scale", to_string(o.format)));
    }
    if (o.scaling == mx_32 && !is_fp8(o.format) && o.format != Format::fp4_e2m1) {
      add(scaling, fmt::format("mx_32 scales fp8_e4m3, fp8_e5m2 and fp4_e2m1, found {}",
                               to_string(o.format)));
    }
    if (o.scaling == nv_16 && o.format != Format::fp4_e2m1) {
      add(scaling, fmt::format("nv_16 scales fp4_e2m1, found {}", to_string(o.format)));
    }
  }

  void products(const std::string& prefix, const ProductNumerics& p) {
    const auto field = [&](std::string_view name) { return prefix + std::string(name); };
    if (p.weights) weights(field("weights"), *p.weights);
    if (!p.activations) {
      if (p.weights) {
        add(field("activations.format"),
            "ggml quantises activations for the stored weights: expected weights.format stored");
      }
      if (p.accumulator != Accumulator{}) {
        add(field("accumulator"), "with ggml's activations sums are ggml's own: leave it out");
      }
      return;
    }
    activations(field("activations"), *p.activations);
    together(prefix, p);
    accumulator(prefix, p);
  }

  void cache(const Operand& o) {
    operand("kv_cache", o);
    if (o.scaling != Scaling::none && o.scaling != Scaling::token) {
      add("kv_cache.scaling", "keys and values come one by one: expected none or token");
    }
  }

  void add(std::string field, std::string why) {
    list.push_back({std::move(field), std::move(why)});
  }

  std::vector<NumericsFault> list;

 private:
  void weights(const std::string& field, const Operand& o) {
    operand(field, o);
    if (o.scaling == Scaling::token) {
      add(field + ".scaling", "token is for activations; a row of weights is a channel");
    }
  }

  void activations(const std::string& field, const Operand& o) {
    operand(field, o);
    using enum Scaling;
    if (o.scaling == channel || o.scaling == block_128 || o.scaling == tensor) {
      add(field + ".scaling",
          fmt::format("{} would tie the tokens of a step together: expected none, token, "
                      "group_128, mx_32 or nv_16",
                      to_string(o.scaling)));
    }
  }

  void together(const std::string& prefix, const ProductNumerics& p) {
    const Operand& a = *p.activations;
    if (is_wide(a.format)) return;  // weights are turned into that format first
    if (!p.weights) {
      add(prefix + "weights.format",
          fmt::format("stored weights are multiplied with fp32, fp16, bf16 or ggml activations, "
                      "found {}",
                      shown(a)));
    } else if (is_integer(p.weights->format) != is_integer(a.format)) {
      add(prefix + "activations.format",
          fmt::format(
              "{} cannot be multiplied with {}: expected both integer, both floating-point, "
              "or wide activations",
              shown(a), shown(*p.weights)));
    }
  }

  void accumulator(const std::string& prefix, const ProductNumerics& p) {
    const Accumulator& sum = p.accumulator;
    const std::string field = prefix + "accumulator.";
    if (!within(sum.group, 1, kMostGroup) || !within(sum.bits, kFewestBits, kMostBits) ||
        !within(sum.promote_every, 0, kMostPromote)) {
      add(prefix + "accumulator",
          fmt::format("expected a group of 1 to {}, {} to {} bits, promotion after 0 to {}",
                      kMostGroup, kFewestBits, kMostBits, kMostPromote));
      return;
    }
    const auto is = [&](auto&& test) {
      return test(p.activations->format) || (p.weights && test(p.weights->format));
    };
    const bool integers =
        is_integer(p.activations->format) && p.weights && is_integer(p.weights->format);
    if (sum.kind == Accumulator::Kind::int32 && !integers) {
      add(field + "kind", fmt::format("int32 adds products of integers, and activations are {}",
                                      to_string(p.activations->format)));
    }
    if (sum.kind == Accumulator::Kind::aligned) {
      if (is([](Format f) { return f == Format::fp32; })) {
        add(field + "kind", "aligned adds products that fit fp32, and those of fp32 do not");
      }
      if ((sum.group + 1) << sum.bits > std::int64_t{1} << 24) {
        add(field + "bits",
            fmt::format("the sum of {} products and the one before, of {} bits each, would not fit "
                        "the 24 bits of fp32",
                        sum.group, sum.bits));
      }
    }
    const bool is_tree =
        sum.kind == Accumulator::Kind::fp32 && sum.order == Accumulator::Order::tree;
    if (is_tree && (sum.group < 2 || !std::has_single_bit(static_cast<std::uint64_t>(sum.group)))) {
      add(field + "group", fmt::format("a tree has a power of two of leaves, found {}", sum.group));
    }
  }
};

}  // namespace

std::vector<NumericsFault> faults(const Numerics& n) {
  Judge judge;
  judge.products("", n.products);
  if (n.head) judge.products("head.", *n.head);
  judge.cache(n.kv_cache);
  const std::int64_t entries = n.functions.entries;
  if (!within(entries, 2, kMostEntries) ||
      !std::has_single_bit(static_cast<std::uint64_t>(entries))) {
    judge.add("functions.entries",
              fmt::format("expected a power of two from 2 to {}, found {}", kMostEntries, entries));
  }
  if (n.smoothing > 0 && !(n.products.weights && n.products.activations)) {
    judge.add("smoothing", "the weights are multiplied by it, so they cannot be as stored");
  }
  return std::move(judge.list);
}

std::vector<std::string_view> unused_fields(const Accumulator& a) {
  std::vector<std::string_view> unused;
  const bool aligned = a.kind == Accumulator::Kind::aligned;
  const bool fp32 = a.kind == Accumulator::Kind::fp32;
  if (!aligned) unused.insert(unused.end(), {"bits", "rounding"});
  if (!fp32) unused.emplace_back("order");
  if (!aligned && !(fp32 && a.order == Accumulator::Order::tree)) unused.emplace_back("group");
  return unused;
}

std::span<const Choice<Format>> operand_format_choices() {
  return kOperandFormats;
}
std::span<const Choice<Format>> cache_format_choices() {
  return kCacheFormats;
}
std::span<const Choice<Format>> stream_format_choices() {
  return kStreamFormats;
}

}  // namespace presil

#include "chip/numerics_file.h"

#include <fmt/format.h>

#include "base/describe.h"
#include "chip/inputs.h"

namespace presil {
namespace {

/// `word`, which stands for nothing, before the formats of operands.
std::vector<Choice<std::optional<Format>>> or_word(std::string_view word) {
  std::vector<Choice<std::optional<Format>>> choices = {{word, std::nullopt}};
  for (const Choice<Format>& c : operand_format_choices()) choices.push_back({c.name, c.value});
  return choices;
}

std::optional<Operand> read_operand(Fields& f, std::string_view word) {
  const auto choices = or_word(word);
  const auto format = f.choice<std::optional<Format>>("format", "of its elements",
                                                      std::span(std::as_const(choices)));
  const Scaling scaling =
      f.choice_or<Scaling>("scaling", "what shares a scale", scaling_choices(), Scaling::none);
  f.require(format || scaling == Scaling::none, "scaling",
            fmt::format("{} has the scales that it has: expected none", word));
  return format ? std::optional(Operand{*format, scaling}) : std::nullopt;
}

Operand read_cache(Fields& f) {
  Operand o;
  o.format = f.choice<Format>("format", "of keys and values", cache_format_choices());
  o.scaling = f.choice_or<Scaling>("scaling", "token: one scale for a key or value of one head",
                                   scaling_choices(), Scaling::none);
  return o;
}

Accumulator read_accumulator(Fields& f) {
  Accumulator a;
  a.kind =
      f.choice<Accumulator::Kind>("kind", "how a segment of products is summed",
                                  std::span<const Choice<Accumulator::Kind>>(kAccumulatorKinds));
  a.group =
      f.integer_or("group", "products added at once: of a tree and of aligned", a.group, {1, 1024});
  a.bits = f.integer_or("bits", "of aligned: significant bits kept of each term", a.bits, {2, 24});
  a.rounding = f.choice_or<Accumulator::Rounding>(
      "rounding", "of aligned: of what is cut",
      std::span<const Choice<Accumulator::Rounding>>(kRoundings), a.rounding);
  a.order = f.choice_or<Accumulator::Order>("order", "of fp32: how its products are added",
                                            std::span<const Choice<Accumulator::Order>>(kSumOrders),
                                            a.order);
  a.promote_every = f.integer_or(
      "promote_every", "products in a segment, whose sum goes to an fp32 accumulator; 0: a k tile",
      a.promote_every, {0, 1 << 20});
  // Equal sums are equal descriptions: what means nothing is as if it had not been said.
  const Accumulator standard;
  for (const std::string_view field : unused_fields(a)) {
    if (field == "bits") a.bits = standard.bits;
    if (field == "rounding") a.rounding = standard.rounding;
    if (field == "order") a.order = standard.order;
    if (field == "group") a.group = standard.group;
  }
  return a;
}

ProductNumerics read_products(Fields& f) {
  ProductNumerics p;
  p.weights = f.map("weights", "format and scaling; stored: as their file has them",
                    [](Fields& o) { return read_operand(o, "stored"); });
  p.activations = f.map("activations", "format and scaling; ggml: as ggml quantises them",
                        [](Fields& o) { return read_operand(o, "ggml"); });
  p.accumulator = f.maybe_map("accumulator", "how products are added along k", read_accumulator)
                      .value_or(Accumulator{});
  p.overflow = f.choice_or<Overflow>("overflow", "what is beyond the largest number of a format",
                                     std::span<const Choice<Overflow>>(kOverflows), p.overflow);
  return p;
}

VectorFunctions read_functions(Fields& f) {
  VectorFunctions v;
  v.kind = f.choice<VectorFunctions::Kind>(
      "kind", "of exp, 1/sqrt and sigmoid",
      std::span<const Choice<VectorFunctions::Kind>>(kFunctionKinds));
  v.entries =
      f.integer_or("entries", "of a table over one binade, a power of two", v.entries, {2, 65536});
  return v;
}

Numerics read_fields(Fields& f) {
  Numerics n;
  n.name = f.text("name", "of the set, as its file is called");
  n.products = read_products(f);
  n.head = f.maybe_map("head", "of the last product, the logits; as the others when absent",
                       read_products);
  n.kv_cache = f.map("kv_cache", "keys and values between steps", read_cache);
  n.attention =
      f.choice<Format>("attention", "queries and probabilities, before they are multiplied",
                       stream_format_choices());
  n.stream = f.choice<Format>("stream", "activations between kernels, the residual stream too",
                              stream_format_choices());
  n.functions =
      f.maybe_map("functions", "exp, 1/sqrt and sigmoid; exact when absent", read_functions)
          .value_or(VectorFunctions{});
  n.smoothing = f.number_or("smoothing", "SmoothQuant's alpha; 0: none", 0, {0, 1});
  return n;
}

/// Where a dotted field stands, or the nearest group around it that the file has.
const Place& nearest_place(const Node& root, std::string_view field) {
  while (true) {
    if (const Node* node = find_path(root, field)) return node->place;
    const std::size_t dot = field.rfind('.');
    if (dot == std::string_view::npos) return root.place;
    field = field.substr(0, dot);
  }
}

/// Complains about fields that mean nothing and were not written in the file itself.
void refuse_unused(const Node& root, const std::string& group, const ProductNumerics& p,
                   Diagnostics& log) {
  const Node* kind = find_path(root, group + "kind");
  for (const std::string_view name : unused_fields(p.accumulator)) {
    const std::string field = group + std::string(name);
    const Node* node = find_path(root, field);
    if (node == nullptr || node->place.source == root.place.source) continue;
    log.add(node->place, fmt::format("{}: means nothing in sums of kind {}", field,
                                     kind == nullptr ? "fp32" : kind->text));
  }
}

}  // namespace

Numerics read_numerics(const Node& root, Sources* sources) {
  Numerics n = read_file(root, "numerics", read_fields, sources);
  Diagnostics log;
  for (const NumericsFault& fault : faults(n)) {
    log.add(nearest_place(root, fault.field), fmt::format("{}: {}", fault.field, fault.why));
  }
  refuse_unused(root, "accumulator.", n.products, log);
  if (n.head) refuse_unused(root, "head.accumulator.", *n.head, log);
  log.throw_if_any();
  return n;
}

Schema numerics_schema() {
  return describe_file("numerics", "the arithmetic of a chip", read_fields);
}

}  // namespace presil

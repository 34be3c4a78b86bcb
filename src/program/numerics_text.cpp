#include "program/numerics_text.h"

#include <charconv>

#include <fmt/format.h>

namespace presil {
namespace {

template <class E>
std::string_view name_of(E value, std::span<const Choice<E>> choices) {
  for (const Choice<E>& c : choices) {
    if (c.value == value) return c.name;
  }
  return "";
}

template <class E, std::size_t N>
std::string_view name_of(E value, const Choice<E> (&choices)[N]) {
  return name_of(value, std::span<const Choice<E>>(choices));
}

template <class E>
bool take(E& into, std::string_view name, std::span<const Choice<E>> choices) {
  for (const Choice<E>& c : choices) {
    if (c.name != name) continue;
    into = c.value;
    return true;
  }
  return false;
}

template <class E, std::size_t N>
bool take(E& into, std::string_view name, const Choice<E> (&choices)[N]) {
  return take(into, name, std::span<const Choice<E>>(choices));
}

template <class N>
bool take_number(N& into, std::string_view text) {
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, into);
  return error == std::errc() && stop == end && into >= 0;
}

/// `word` stands for nothing.
bool take(std::optional<Operand>& into, std::string_view text, std::string_view word) {
  into.reset();
  return text == word || read_operand(into.emplace(), text);
}

std::string print(const std::optional<Operand>& o, std::string_view word) {
  return o ? print(o->format, o->scaling) : std::string(word);
}

std::string print(const ProductNumerics& p) {
  const Accumulator& a = p.accumulator;
  return fmt::format(
      "weights={} activations={} overflow={} sum={} group={} bits={} rounding={} order={} "
      "promote_every={}\n",
      print(p.weights, "stored"), print(p.activations, "ggml"), name_of(p.overflow, kOverflows),
      name_of(a.kind, kAccumulatorKinds), a.group, a.bits, name_of(a.rounding, kRoundings),
      name_of(a.order, kSumOrders), a.promote_every);
}

}  // namespace

std::string print(Format format, Scaling scaling) {
  if (scaling == Scaling::none) return std::string(to_string(format));
  return fmt::format("{}/{}", to_string(format), to_string(scaling));
}

std::string print(const Numerics& n) {
  std::string text = fmt::format(
      "numerics {} kv_cache={} attention={} stream={} functions={} entries={} smoothing={}\n",
      n.name, print(n.kv_cache.format, n.kv_cache.scaling), to_string(n.attention),
      to_string(n.stream), name_of(n.functions.kind, kFunctionKinds), n.functions.entries,
      n.smoothing);
  text += "  products " + print(n.products);
  if (n.head) text += "  head " + print(*n.head);
  return text;
}

bool read_operand(Operand& operand, std::string_view text) {
  const std::size_t slash = text.find('/');
  operand.scaling = Scaling::none;
  return take(operand.format, text.substr(0, slash), format_choices()) &&
         (slash == std::string_view::npos ||
          take(operand.scaling, text.substr(slash + 1), scaling_choices()));
}

bool read_field(Numerics& n, std::string_view key, std::string_view value) {
  if (key == "kv_cache") return read_operand(n.kv_cache, value);
  if (key == "attention") return take(n.attention, value, stream_format_choices());
  if (key == "stream") return take(n.stream, value, stream_format_choices());
  if (key == "functions") return take(n.functions.kind, value, kFunctionKinds);
  if (key == "entries") return take_number(n.functions.entries, value);
  if (key == "smoothing") return take_number(n.smoothing, value);
  return false;
}

bool read_field(ProductNumerics& p, std::string_view key, std::string_view value) {
  Accumulator& a = p.accumulator;
  if (key == "weights") return take(p.weights, value, "stored");
  if (key == "activations") return take(p.activations, value, "ggml");
  if (key == "overflow") return take(p.overflow, value, kOverflows);
  if (key == "sum") return take(a.kind, value, kAccumulatorKinds);
  if (key == "group") return take_number(a.group, value);
  if (key == "bits") return take_number(a.bits, value);
  if (key == "rounding") return take(a.rounding, value, kRoundings);
  if (key == "order") return take(a.order, value, kSumOrders);
  if (key == "promote_every") return take_number(a.promote_every, value);
  return false;
}

}  // namespace presil

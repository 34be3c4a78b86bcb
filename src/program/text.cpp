// One line a fact, two spaces a level:
//
//   program smollm2-135m on artemis-hbm3e
//   numerics ggml kv_cache=fp32 attention=fp32 stream=fp32 ... (numerics_text.h)
//   machine tensor_parallel 1 cores 64 local 393216 shared 268435456 dram 154618822656 unit 32768
//   model max_context 8192 weights 98304000
//   weight blk.*.attn_q.weight q4_1 [576, 576] at 30081024 + 1998848
//   activation x fp32 [T, 576]
//   block layer x 30
//     gemm qkv [m=T n=960 k=576] in int8
//       h * blk.*.attn_q.weight blk.*.attn_k.weight blk.*.attn_v.weight -> qkv
//       map m <= 16: n/32 cores, m/1 cores, k/576 time
#include "program/text.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>

#include <fmt/format.h>

#include "program/numerics_text.h"

namespace presil {
namespace {

constexpr Axis kAllAxes[] = {Axis::m, Axis::n, Axis::k, Axis::s,
                             Axis::h, Axis::q, Axis::c, Axis::d};
constexpr Op kAllOps[] = {Op::embed,     Op::rmsnorm,    Op::gemm,       Op::rope,
                          Op::attention, Op::all_reduce, Op::all_gather, Op::argmax};
constexpr Symbol kAllSymbols[] = {Symbol::T, Symbol::S, Symbol::Q, Symbol::C};
constexpr Epilogue kAllEpilogues[] = {Epilogue::none, Epilogue::add, Epilogue::swiglu};
constexpr Role kAllRoles[] = {Role::weight, Role::cache, Role::activation};

std::string print(Extent e) {
  if (e.symbol == Symbol::one) return std::to_string(e.scale);
  return e.scale == 1 ? std::string(to_string(e.symbol))
                      : fmt::format("{}{}", e.scale, to_string(e.symbol));
}

/// What the tensors are called in the text: by their names; those of later blocks of layers, whose
/// names stood before, with #2, #3, ... behind.
std::vector<std::string> labels_of(const Program& program) {
  std::map<std::string_view, int> seen;
  std::vector<std::string> labels;
  for (const Tensor& t : program.tensors) {
    const int n = ++seen[t.name];
    labels.push_back(n == 1 ? t.name : fmt::format("{}#{}", t.name, n));
  }
  return labels;
}

std::string print(const Kernel& k, const std::vector<std::string>& labels) {
  std::string extents;
  for (const Axis a : kAllAxes) {
    if (k.extent(a) == Extent{}) continue;
    extents += fmt::format("{}{}={}", extents.empty() ? "" : " ", to_string(a), print(k.extent(a)));
  }
  std::string text =
      fmt::format("  {} {} [{}] in {}", to_string(k.op), k.name, extents, to_string(k.multiply));
  if (k.epilogue != Epilogue::none) text += fmt::format(" then {}", to_string(k.epilogue));
  text += "\n   ";
  for (const int t : k.inputs) text += " " + labels[static_cast<std::size_t>(t)];
  if (!k.weights.empty()) text += " *";
  for (const int t : k.weights) text += " " + labels[static_cast<std::size_t>(t)];
  text += " ->";
  for (const int t : k.outputs) text += " " + labels[static_cast<std::size_t>(t)];
  text += "\n";
  for (const Mapping& m : k.mappings) {
    const bool any = m.max_m == kAnyRows;
    text += fmt::format("    map {}:", any ? "any rows" : fmt::format("rows <= {}", m.max_m));
    for (const Loop& loop : m.loops) {
      text += fmt::format(" {}/{} {}{}", to_string(loop.axis), loop.tile,
                          loop.over == Over::cores ? "cores" : "time",
                          &loop == &m.loops.back() ? "" : ",");
    }
    if (m.split_k > 1) text += fmt::format(", split k by {}", m.split_k);
    text += "\n";
  }
  return text;
}

/// Splits lines into words and complains about the word at hand.
class Reader {
 public:
  explicit Reader(std::shared_ptr<const Source> source) : source_(std::move(source)) {}

  Program read() {
    while (next_line()) {
      const std::string head = word("a line of a program");
      if (head == "program") {
        program_.model = word("the model's name");
        expect("on");
        program_.chip = word("the chip's name");
      } else if (head == "numerics") {
        read_numerics();
      } else if (head == "machine") {
        read_machine();
      } else if (head == "model") {
        expect("max_context");
        program_.max_context = integer();
        if (skip("window")) program_.sliding_window = integer();
        expect("weights");
        program_.weight_footprint = Bytes(integer());
      } else if (const auto role = one_of(kAllRoles, head)) {
        read_tensor(*role);
      } else if (head == "block") {
        Block block;
        block.name = word("the block's name");
        expect("x");
        block.repeat = integer();
        if (skip("from")) block.first_layer = integer();
        program_.blocks.push_back(std::move(block));
      } else if (const auto op = one_of(kAllOps, head)) {
        read_kernel(*op);
      } else if (head == "map") {
        read_mapping();
      } else {
        fail(
            "expected program, numerics, machine, model, weight, cache, activation, block, an "
            "operator or map");
      }
      if (at_ < words_.size()) {
        ++at_;
        fail("expected the end of the line");
      }
    }
    return std::move(program_);
  }

 private:
  struct Word {
    std::string text;
    int column;
  };

  bool next_line() {
    words_.clear();
    at_ = 0;
    while (words_.empty()) {
      if (position_ >= source_->text.size()) return false;
      const std::size_t end = std::min(source_->text.find('\n', position_), source_->text.size());
      split(std::string_view(source_->text).substr(position_, end - position_));
      position_ = end + 1;
      ++line_;
    }
    return true;
  }

  /// Moves to the next line when it starts with `head`.
  bool next_line_is(std::string_view head) {
    const std::size_t position = source_->text.find_first_not_of(" \t\r\n", position_);
    const bool is = position != std::string::npos &&
                    std::string_view(source_->text).substr(position).starts_with(head) &&
                    next_line();
    return is;
  }

  /// Words are runs of letters without blanks, commas, colons, brackets.
  void split(std::string_view line) {
    constexpr std::string_view kGaps = " \t\r,:[]=";
    std::size_t i = 0;
    while (i < line.size()) {
      const std::size_t begin = line.find_first_not_of(kGaps, i);
      if (begin == std::string_view::npos) return;
      const std::size_t end = std::min(line.find_first_of(kGaps, begin), line.size());
      words_.push_back({std::string(line.substr(begin, end - begin)), static_cast<int>(begin) + 1});
      i = end;
    }
  }

  [[noreturn]] void fail(const std::string& expected) const {
    const bool here = at_ > 0 && at_ <= words_.size();
    const Word w = here ? words_[at_ - 1] : Word{"the end of the line", 1};
    Diagnostics log;
    log.add({source_, std::max(1, line_), w.column, static_cast<int>(w.text.size())},
            fmt::format("{}, found \"{}\"", expected, w.text));
    log.throw_if_any();
    throw InternalError("a diagnostic was thrown");
  }

  bool more() const { return at_ < words_.size(); }
  bool next_is(std::string_view text) const { return more() && words_[at_].text == text; }
  bool skip(std::string_view text) {
    if (!next_is(text)) return false;
    ++at_;
    return true;
  }
  std::string word(std::string_view what) {
    if (!more()) {
      at_ = words_.size() + 1;
      fail(fmt::format("expected {}", what));
    }
    return words_[at_++].text;
  }
  void expect(std::string_view text) {
    if (word(text) != text) fail(fmt::format("expected \"{}\"", text));
  }
  std::int64_t integer() {
    const std::string text = word("a whole number");
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || value < 0) {
      fail("expected a whole number");
    }
    return value;
  }
  /// "T", "960" or "2T".
  Extent extent() {
    const std::string text = word("an extent such as T or 960");
    Extent e;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), e.scale);
    if (error != std::errc()) e.scale = 1;
    const std::string_view rest =
        error != std::errc()
            ? std::string_view(text)
            : std::string_view(text).substr(static_cast<std::size_t>(end - text.data()));
    if (rest.empty()) return e;
    const auto symbol = one_of(kAllSymbols, rest);
    if (!symbol || e.scale < 1) fail("expected an extent such as T or 960");
    e.symbol = *symbol;
    return e;
  }
  /// "bf16" or "fp8_e4m3/block_128".
  Operand operand() {
    Operand o;
    if (!read_operand(o, word("a number format"))) fail("expected a number format");
    return o;
  }
  Format format() {
    const Operand o = operand();
    if (o.scaling != Scaling::none) fail("expected a number format without scales");
    return o.format;
  }
  int tensor() {
    const std::string name = word("a tensor");
    const auto found = std::find(labels_.begin(), labels_.end(), name);
    if (found == labels_.end()) fail("expected the name of a tensor above");
    return static_cast<int>(found - labels_.begin());
  }
  template <class E, std::size_t N>
  static std::optional<E> one_of(const E (&all)[N], std::string_view name) {
    for (const E e : all) {
      if (to_string(e) == name) return e;
    }
    return std::nullopt;
  }

  /// The words KEY=VALUE up to the end of the line.
  template <class N>
  void read_fields(N& into) {
    while (more()) {
      const std::string key = word("a field of numerics");
      if (!read_field(into, key, word("its value"))) fail("expected a field of numerics");
    }
  }

  void read_numerics() {
    Numerics& n = program_.numerics;
    n.name = word("the name of the numerics");
    read_fields(n);
    if (!next_line()) fail("expected the numerics of products");
    expect("products");
    read_fields(n.products);
    if (next_line_is("head")) {
      expect("head");
      read_fields(n.head.emplace());
    }
    for (const NumericsFault& fault : faults(n))
      fail(fmt::format("{}: {}", fault.field, fault.why));
  }

  void read_machine() {
    expect("tensor_parallel");
    program_.tensor_parallel = integer();
    expect("cores");
    program_.cores = integer();
    expect("local");
    program_.local_memory = Bytes(integer());
    expect("shared");
    program_.shared_memory = Bytes(integer());
    expect("dram");
    program_.dram_capacity = Bytes(integer());
    expect("unit");
    program_.dram_unit = Bytes(integer());
  }

  void read_tensor(Role role) {
    Tensor t;
    t.role = role;
    labels_.push_back(word("the tensor's name"));
    t.name = labels_.back().substr(0, labels_.back().find('#'));
    const Operand stored = operand();
    t.format = stored.format;
    t.scaling = stored.scaling;
    t.rows = extent();
    t.columns = integer();
    if (skip("at")) {
      t.base = integer();
      expect("+");
      t.layer_stride = integer();
    }
    program_.tensors.push_back(std::move(t));
  }

  void read_kernel(Op op) {
    if (program_.blocks.empty()) fail("expected a block before its kernels");
    Kernel k;
    k.op = op;
    k.name = word("the kernel's name");
    while (!next_is("in")) {
      const auto axis = one_of(kAllAxes, word("an axis or \"in\""));
      if (!axis) fail("expected an axis or \"in\"");
      k.extents[static_cast<std::size_t>(*axis)] = extent();
    }
    expect("in");
    k.multiply = format();
    if (skip("then")) {
      const auto epilogue = one_of(kAllEpilogues, word("an epilogue"));
      if (!epilogue) fail("expected none, add or swiglu");
      k.epilogue = *epilogue;
    }
    if (!next_line()) fail("expected the kernel's operands");
    while (!next_is("*") && !next_is("->")) k.inputs.push_back(tensor());
    if (skip("*")) {
      while (!next_is("->")) k.weights.push_back(tensor());
    }
    expect("->");
    while (more()) k.outputs.push_back(tensor());
    program_.blocks.back().kernels.push_back(std::move(k));
  }

  void read_mapping() {
    if (program_.blocks.empty() || program_.blocks.back().kernels.empty()) {
      fail("expected a kernel before its mappings");
    }
    Mapping m;
    if (skip("any")) {
      expect("rows");
    } else {
      expect("rows");
      expect("<");  // of "<=", whose '=' separates words
      m.max_m = integer();
    }
    while (more()) {
      if (skip("split")) {
        expect("k");
        expect("by");
        m.split_k = integer();
        continue;
      }
      const std::string loop = word("a loop such as n/64");
      const std::size_t slash = loop.find('/');
      const auto axis = one_of(kAllAxes, std::string_view(loop).substr(0, slash));
      Loop l;
      if (!axis || slash == std::string::npos) fail("expected a loop such as n/64");
      l.axis = *axis;
      const char* end = loop.data() + loop.size();
      const auto [stop, error] = std::from_chars(loop.data() + slash + 1, end, l.tile);
      if (error != std::errc() || stop != end || l.tile < 1) fail("expected a loop such as n/64");
      const std::string over = word("cores or time");
      if (over != "cores" && over != "time") fail("expected cores or time");
      l.over = over == "cores" ? Over::cores : Over::time;
      m.loops.push_back(l);
    }
    program_.blocks.back().kernels.back().mappings.push_back(std::move(m));
  }

  std::shared_ptr<const Source> source_;
  std::size_t position_ = 0;
  int line_ = 0;
  std::vector<Word> words_;
  std::size_t at_ = 0;
  std::vector<std::string> labels_;  // by tensor
  Program program_;
};

}  // namespace

std::string print(const Program& p) {
  const std::vector<std::string> labels = labels_of(p);
  std::string text = fmt::format("program {} on {}\n{}", p.model, p.chip, print(p.numerics));
  text += fmt::format("machine tensor_parallel {} cores {} local {} shared {} dram {} unit {}\n",
                      p.tensor_parallel, p.cores, p.local_memory.count(), p.shared_memory.count(),
                      p.dram_capacity.count(), p.dram_unit.count());
  text += fmt::format("model max_context {}", p.max_context);
  if (p.sliding_window > 0) text += fmt::format(" window {}", p.sliding_window);
  text += fmt::format(" weights {}\n", p.weight_footprint.count());
  for (std::size_t i = 0; i < p.tensors.size(); ++i) {
    const Tensor& t = p.tensors[i];
    text += fmt::format("{} {} {} [{}, {}]", to_string(t.role), labels[i],
                        print(t.format, t.scaling), print(t.rows), t.columns);
    if (t.role == Role::weight) text += fmt::format(" at {} + {}", t.base, t.layer_stride);
    text += "\n";
  }
  for (const Block& block : p.blocks) {
    text += fmt::format("block {} x {}", block.name, block.repeat);
    if (block.first_layer > 0) text += fmt::format(" from {}", block.first_layer);
    text += "\n";
    for (const Kernel& k : block.kernels) text += print(k, labels);
  }
  return text;
}

Program parse_program(const std::shared_ptr<const Source>& source) {
  return Reader(source).read();
}

}  // namespace presil

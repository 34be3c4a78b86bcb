#include <algorithm>
#include <charconv>
#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "program/loop_text.h"
#include "program/numerics_text.h"
#include "program/text.h"
#include "program/words.h"

namespace presil {
namespace {

constexpr Axis kAllAxes[] = {Axis::m, Axis::n, Axis::k, Axis::s, Axis::h,
                             Axis::q, Axis::c, Axis::d, Axis::v};
constexpr Op kAllOps[] = {Op::embed,          Op::rmsnorm,    Op::gemm,       Op::rope,
                          Op::attention,      Op::top_k,      Op::dispatch,   Op::grouped_gemm,
                          Op::combine,        Op::convert,    Op::all_reduce, Op::all_gather,
                          Op::reduce_scatter, Op::all_to_all, Op::send_recv,  Op::argmax,
                          Op::sample};
constexpr Symbol kAllSymbols[] = {Symbol::T, Symbol::S, Symbol::Q, Symbol::C, Symbol::K};
constexpr Subset kAllSubsets[] = {Subset::all, Subset::decode, Subset::prefill};
constexpr Epilogue kAllEpilogues[] = {Epilogue::none, Epilogue::add, Epilogue::swiglu,
                                      Epilogue::gelu};
constexpr Role kAllRoles[] = {Role::weight, Role::cache, Role::activation};

class ProgramReader {
 public:
  explicit ProgramReader(std::shared_ptr<const Source> source) : words_(std::move(source)) {}

  Program read() {
    while (words_.next_line()) {
      const std::string head = words_.word("a line of a program");
      if (head == "program") {
        program_.model = words_.word("the model's name");
        words_.expect("on");
        program_.chip = words_.word("the chip's name");
      } else if (head == "numerics") {
        read_numerics();
      } else if (head == "machine") {
        read_machine();
      } else if (head == "split") {
        read_split();
      } else if (head == "model") {
        words_.expect("max_context");
        program_.max_context = words_.integer();
        words_.expect("weights");
        program_.weight_footprint = Bytes(words_.integer());
      } else if (const auto role = one_of(kAllRoles, head)) {
        read_tensor(*role);
      } else if (head == "block") {
        Block block;
        block.name = words_.word("the block's name");
        words_.expect("x");
        block.repeat = words_.integer();
        if (words_.skip("from")) block.first_layer = words_.integer();
        program_.blocks.push_back(std::move(block));
      } else if (const auto op = one_of(kAllOps, head)) {
        read_kernel(*op);
      } else if (head == "map") {
        read_mapping();
      } else {
        words_.fail(
            "expected program, numerics, machine, split, model, weight, cache, activation, block, "
            "an operator or map");
      }
      words_.expect_end_of_line();
    }
    return std::move(program_);
  }

 private:
  /// "T", "960", "2T" or "2T/8".
  Extent extent() {
    const std::string text = words_.word("an extent such as T or 960");
    Extent e;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), e.scale);
    if (error != std::errc()) e.scale = 1;
    const std::string_view rest =
        error != std::errc()
            ? std::string_view(text)
            : std::string_view(text).substr(static_cast<std::size_t>(end - text.data()));
    if (rest.empty()) return e;
    const std::size_t slash = std::min(rest.find('/'), rest.size());
    const auto symbol = one_of(kAllSymbols, rest.substr(0, slash));
    if (slash < rest.size()) {
      const char* stop = rest.data() + rest.size();
      const auto [at, fault] = std::from_chars(rest.data() + slash + 1, stop, e.parts);
      if (fault != std::errc() || at != stop) e.parts = 0;
    }
    if (!symbol || e.scale < 1 || e.parts < 1) words_.fail("expected an extent such as T or 960");
    e.symbol = *symbol;
    return e;
  }
  /// "bf16" or "fp8_e4m3/block_128".
  Operand operand() {
    Operand o;
    if (!read_operand(o, words_.word("a number format"))) words_.fail("expected a number format");
    return o;
  }
  Format format() {
    const Operand o = operand();
    if (o.scaling != Scaling::none) words_.fail("expected a number format without scales");
    return o.format;
  }
  int tensor() {
    const std::string name = words_.word("a tensor");
    const auto found = std::find(labels_.begin(), labels_.end(), name);
    if (found == labels_.end()) words_.fail("expected the name of a tensor above");
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
    while (words_.more()) {
      const std::string key = words_.word("a field of numerics");
      if (!read_field(into, key, words_.word("its value"))) {
        words_.fail("expected a field of numerics");
      }
    }
  }

  void read_numerics() {
    Numerics& n = program_.numerics;
    n.name = words_.word("the name of the numerics");
    read_fields(n);
    if (!words_.next_line()) words_.fail("expected the numerics of products");
    words_.expect("products");
    read_fields(n.products);
    if (words_.next_line_is("head")) {
      words_.expect("head");
      read_fields(n.head.emplace());
    }
    for (const NumericsFault& fault : faults(n)) {
      words_.fail(fmt::format("{}: {}", fault.field, fault.why));
    }
  }

  void read_machine() {
    words_.expect("tensor_parallel");
    program_.tensor_parallel = words_.integer();
    words_.expect("cores");
    program_.cores = words_.integer();
    words_.expect("local");
    program_.local_memory = Bytes(words_.integer());
    words_.expect("shared");
    program_.shared_memory = Bytes(words_.integer());
    words_.expect("dram");
    program_.dram_capacity = Bytes(words_.integer());
    words_.expect("unit");
    program_.dram_unit = Bytes(words_.integer());
  }

  void read_split() {
    Split& s = program_.split;
    words_.expect("data");
    s.data = words_.integer();
    words_.expect("experts");
    s.experts = words_.integer();
    words_.expect("stages");
    s.stages = words_.integer();
    words_.expect("stage");
    s.stage = words_.integer();
    words_.expect("from");
    s.first_layer = words_.integer();
    s.sequence = words_.skip("sequence");
  }

  void read_tensor(Role role) {
    Tensor t;
    t.role = role;
    labels_.push_back(words_.word("the tensor's name"));
    t.name = labels_.back().substr(0, labels_.back().find('#'));
    const Operand stored = operand();
    t.format = stored.format;
    t.scaling = stored.scaling;
    t.rows = extent();
    t.columns = words_.integer();
    if (words_.skip("at")) {
      t.base = words_.integer();
      words_.expect("+");
      t.layer_stride = words_.integer();
    }
    program_.tensors.push_back(std::move(t));
  }

  void read_kernel(Op op) {
    if (program_.blocks.empty()) words_.fail("expected a block before its kernels");
    Kernel k;
    k.op = op;
    k.name = words_.word("the kernel's name");
    while (!words_.next_is("in")) {
      const auto axis = one_of(kAllAxes, words_.word("an axis or \"in\""));
      if (!axis) words_.fail("expected an axis or \"in\"");
      k.extents[static_cast<std::size_t>(*axis)] = extent();
    }
    words_.expect("in");
    k.multiply = format();
    read_particulars(k);
    if (!words_.next_line()) words_.fail("expected the kernel's operands");
    while (!words_.next_is("*") && !words_.next_is("->")) k.inputs.push_back(tensor());
    if (words_.skip("*")) {
      while (!words_.next_is("->")) k.weights.push_back(tensor());
    }
    words_.expect("->");
    while (words_.more()) k.outputs.push_back(tensor());
    program_.blocks.back().kernels.push_back(std::move(k));
  }

  /// "n/64".
  Loop tile() {
    const std::optional<Loop> loop = parse_tile(words_.word("a loop such as n/64"));
    if (!loop) words_.fail("expected a loop such as n/64");
    return *loop;
  }

  void read_particulars(Kernel& k) {
    if (words_.skip("then")) {
      const auto epilogue = one_of(kAllEpilogues, words_.word("an epilogue"));
      if (!epilogue) words_.fail("expected none, add, swiglu or gelu");
      k.epilogue = *epilogue;
    }
    if (words_.skip("for")) {
      const auto subset = one_of(kAllSubsets, words_.word("decode or prefill"));
      if (!subset) words_.fail("expected decode or prefill");
      k.over = *subset;
    }
    k.window.both_ways = words_.skip("both_ways");
    k.window.chunked = words_.next_is("chunk");
    if (words_.skip("window") || words_.skip("chunk")) k.window.keys = words_.integer();
    if (words_.skip("group")) k.group = words_.integer();
    if (words_.skip("experts")) read_routing(k.routing);
  }

  void read_routing(Routing& r) {
    r.per_token = words_.integer();
    words_.expect("of");
    r.experts = words_.integer();
    words_.expect("here");
    r.here = words_.integer();
    words_.expect("joined");
    r.joined = words_.integer();
    words_.expect("imbalance");
    const std::string text = words_.word("a number");
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, r.imbalance);
    const bool is_number = error == std::errc() && stop == end && std::isfinite(r.imbalance);
    if (!is_number || r.experts < 1 || r.here < 1 || r.per_token < 1 || r.per_token > r.experts ||
        r.joined < 1 || r.imbalance < 1) {
      words_.fail("expected experts K of E here H joined J imbalance I, each 1 or more");
    }
  }

  void read_mapping() {
    if (program_.blocks.empty() || program_.blocks.back().kernels.empty()) {
      words_.fail("expected a kernel before its mappings");
    }
    Mapping m;
    if (words_.skip("any")) {
      words_.expect("rows");
    } else {
      words_.expect("rows");
      words_.expect("<");  // of "<=", whose '=' separates words
      m.max_m = words_.integer();
    }
    while (words_.more()) {
      if (words_.skip("split")) {
        words_.expect("k");
        words_.expect("by");
        m.split_k = words_.integer();
        continue;
      }
      if (words_.skip("buffers")) {
        m.buffers = words_.integer();
        continue;
      }
      if (words_.skip("last")) {
        words_.expect("wave");
        m.last_n = tile().tile;
        continue;
      }
      Loop l = tile();
      const std::string over = words_.word("cores or time");
      if (over != "cores" && over != "time") words_.fail("expected cores or time");
      l.over = over == "cores" ? Over::cores : Over::time;
      m.loops.push_back(l);
    }
    program_.blocks.back().kernels.back().mappings.push_back(std::move(m));
  }

  Words words_;
  std::vector<std::string> labels_;  // by tensor
  Program program_;
};

}  // namespace

Program parse_program(const std::shared_ptr<const Source>& source) {
  return ProgramReader(source).read();
}

}  // namespace presil

#include "program/program.h"

#include "base/error.h"

namespace presil {

std::int64_t Mapping::tile(Axis axis) const {
  for (auto loop = loops.rbegin(); loop != loops.rend(); ++loop) {
    if (loop->axis == axis) return loop->tile;
  }
  return 0;
}

Strip Mapping::strip() const {
  if (!loops.empty() && loops.front().over == Over::time && loops.front().axis != Axis::k) {
    return {loops.front().axis, loops.front().tile};
  }
  // The inner of the loops over cores is gone through whole before the outer one takes a step.
  for (auto loop = loops.rbegin(); loop != loops.rend(); ++loop) {
    if (loop->over == Over::cores) return {loop->axis, 0};
  }
  return {};
}

std::string name_in_layer(std::string_view name, std::int64_t layer) {
  std::string result(name);
  if (const std::size_t star = name.find('*'); star != std::string::npos) {
    result.replace(star, 1, std::to_string(layer));
  }
  return result;
}

bool is_in_layers(std::string_view name) {
  return name.find('*') != std::string_view::npos;
}

int Program::find(std::string_view name) const {
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    if (tensors[i].name == name) return static_cast<int>(i);
  }
  throw InternalError("no tensor called " + std::string(name));
}

const ProductNumerics& products_of(const Program& program, const Kernel& kernel) {
  return kernel.name == "lm_head" ? program.numerics.of_head() : program.numerics.products;
}

std::string_view to_string(Op op) {
  switch (op) {
    case Op::embed:
      return "embed";
    case Op::rmsnorm:
      return "rmsnorm";
    case Op::gemm:
      return "gemm";
    case Op::rope:
      return "rope";
    case Op::attention:
      return "attention";
    case Op::top_k:
      return "top_k";
    case Op::dispatch:
      return "dispatch";
    case Op::grouped_gemm:
      return "grouped_gemm";
    case Op::combine:
      return "combine";
    case Op::convert:
      return "convert";
    case Op::all_reduce:
      return "all_reduce";
    case Op::all_gather:
      return "all_gather";
    case Op::reduce_scatter:
      return "reduce_scatter";
    case Op::all_to_all:
      return "all_to_all";
    case Op::send_recv:
      return "send_recv";
    case Op::argmax:
      return "argmax";
    case Op::sample:
      return "sample";
  }
  return "";
}

std::string_view to_string(Axis axis) {
  switch (axis) {
    case Axis::m:
      return "m";
    case Axis::n:
      return "n";
    case Axis::k:
      return "k";
    case Axis::s:
      return "s";
    case Axis::h:
      return "h";
    case Axis::q:
      return "q";
    case Axis::c:
      return "c";
    case Axis::d:
      return "d";
    case Axis::v:
      return "v";
  }
  return "";
}

std::string_view to_string(Symbol symbol) {
  switch (symbol) {
    case Symbol::one:
      return "1";
    case Symbol::T:
      return "T";
    case Symbol::S:
      return "S";
    case Symbol::Q:
      return "Q";
    case Symbol::C:
      return "C";
    case Symbol::K:
      return "K";
  }
  return "";
}

std::string_view to_string(Subset subset) {
  switch (subset) {
    case Subset::all:
      return "all";
    case Subset::decode:
      return "decode";
    case Subset::prefill:
      return "prefill";
  }
  return "";
}

std::string_view to_string(Epilogue epilogue) {
  switch (epilogue) {
    case Epilogue::none:
      return "none";
    case Epilogue::add:
      return "add";
    case Epilogue::swiglu:
      return "swiglu";
    case Epilogue::gelu:
      return "gelu";
  }
  return "";
}

std::string_view to_string(Role role) {
  switch (role) {
    case Role::weight:
      return "weight";
    case Role::cache:
      return "cache";
    case Role::activation:
      return "activation";
  }
  return "";
}

}  // namespace presil

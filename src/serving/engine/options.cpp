#include "serving/engine/options.h"

namespace presil::serving {

std::string_view to_string(Role role) {
  switch (role) {
    case Role::both:
      return "both";
    case Role::prefill:
      return "prefill";
    case Role::decode:
      return "decode";
  }
  return "";
}

}  // namespace presil::serving

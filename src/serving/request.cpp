#include "serving/request.h"

namespace presil::serving {

std::string_view to_string(Outcome outcome) {
  switch (outcome) {
    case Outcome::finished:
      return "finished";
    case Outcome::too_long:
      return "too_long";
    case Outcome::turned_away:
      return "turned_away";
  }
  return "";
}

}  // namespace presil::serving

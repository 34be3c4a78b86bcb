// The units people write: "3.35 TB/s", "36 GiB", "0.1 /cm2". A bare number is never a quantity.
#pragma once

#include <string>
#include <string_view>

#include <tl/expected.hpp>

#include "base/units.h"

namespace presil {

/// The value of `text` in the base unit of `dimension` (bytes, seconds, hertz, ...; see kUnits in
/// the .cpp). Fails with a sentence that says what was expected, with an example.
/// Accepts finite numbers only; integer dimensions must come out whole.
tl::expected<double, std::string> parse_quantity(std::string_view text, Dimension dimension);

/// An example of a well-formed value, such as "256 KiB" for bytes.
std::string_view example_of(Dimension dimension);

/// What is taken for a value above zero: far outside anything that is built, and tight enough that
/// no product of a few of them leaves 64 bits or the doubles.
struct Bounds {
  double least;
  double most;
};
Bounds bounds_of(Dimension dimension);

/// Every unit accepted for `dimension`, as a list for messages and schemas: "B, KB, KiB, ...".
std::string units_of(Dimension dimension);

/// Three significant digits and the unit that suits: 3.35e12 as "3.35 TB/s".
std::string format_quantity(double value, Dimension dimension);

template <Dimension D, class Rep>
std::string to_string(Quantity<D, Rep> q) {
  return format_quantity(static_cast<double>(q.count()), D);
}

}  // namespace presil

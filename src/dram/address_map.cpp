#include "dram/address_map.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <optional>
#include <string>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.h"

namespace presil::dram {
namespace {

enum Field { kStackId, kBankGroup, kBank, kRow, kColumn };
const std::vector<std::string> kNames = {"stack_id", "bank_group", "bank", "row", "column"};

[[noreturn]] void refuse(const std::string& why) {
  throw InputError("dram mapping: " + why);
}

int field_named(std::string_view name) {
  const auto found = std::find(kNames.begin(), kNames.end(), name);
  if (found != kNames.end()) return static_cast<int>(found - kNames.begin());
  const std::string near = nearest(name, kNames);
  refuse(fmt::format("unknown field '{}'{}; fields are {}", name,
                     near.empty() ? "" : fmt::format(", did you mean '{}'?", near),
                     fmt::join(kNames, ", ")));
}

std::int64_t number(std::string_view text, std::string_view token) {
  std::int64_t value = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || stop != text.data() + text.size() || value < 1 || value > 1 << 30) {
    refuse(fmt::format("expected a whole number above zero in '{}'", token));
  }
  return value;
}

/// "a:b" is {a, b}; "a" is {a, nothing}.
std::pair<std::string_view, std::optional<std::string_view>> split(std::string_view text,
                                                                   char separator) {
  const std::size_t at = text.find(separator);
  if (at == std::string_view::npos) return {text, std::nullopt};
  return {text.substr(0, at), text.substr(at + 1)};
}

}  // namespace

AddressMap::AddressMap(std::string_view text, const MemoryPart& part) {
  sizes_ = {part.stack_ids, part.bank_groups, part.banks, part.rows,
            part.page.count() / part.atom().count()};
  rows_ = part.rows;
  atoms_ = 1;
  for (const std::int64_t size : sizes_) atoms_ *= size;

  if (text.size() > 1024) refuse("longer than 1024 characters");
  for (std::size_t at = text.find_first_not_of(' '); at != std::string_view::npos;) {
    const std::size_t end = std::min(text.find(' ', at), text.size());
    const std::string_view token = text.substr(at, end - at);
    if (token.find('^') == std::string_view::npos) {
      add_digit(token);
    } else {
      add_hash(token);
    }
    at = text.find_first_not_of(' ', end);
  }
  complete_digits();
  tabulate_sweep();
  period_ = find_period();
}

void AddressMap::add_digit(std::string_view token) {
  if (!hashes_.empty()) refuse(fmt::format("'{}' stands after a hash", token));
  const auto [name, radix] = split(token, ':');
  digits_.push_back({field_named(name), radix ? number(*radix, token) : 0});
}

void AddressMap::add_hash(std::string_view token) {
  const auto [target, right] = split(token, '^');
  const auto [source, divisor] = split(*right, '/');
  Hash hash;
  hash.target = field_named(target);
  hash.source = field_named(source);
  hash.divisor = divisor ? static_cast<std::int32_t>(number(*divisor, token)) : 1;
  if (hash.target == hash.source) refuse(fmt::format("'{}' hashes a field with itself", token));
  const std::int64_t size = sizes_[hash.target];
  if (!std::has_single_bit(static_cast<std::uint64_t>(size))) {
    refuse(fmt::format("'{}': {} has {} values, and XOR needs a power of two", token,
                       kNames[hash.target], size));
  }
  hash.mask = static_cast<std::int32_t>(size - 1);
  hashes_.push_back(hash);
}

void AddressMap::complete_digits() {
  std::reverse(digits_.begin(), digits_.end());
  for (int field = 0; field < kFields; ++field) {
    std::int64_t given = 1;
    Digit* open = nullptr;
    for (Digit& digit : digits_) {
      if (digit.field != field) continue;
      if (digit.radix == 0 && open != nullptr) {
        refuse(fmt::format("'{}' stands twice without a radix", kNames[field]));
      }
      if (digit.radix == 0) open = &digit;
      given *= std::max<std::int64_t>(digit.radix, 1);
      if (given > sizes_[field]) break;
    }
    const std::int64_t size = sizes_[field];
    if (given > size || size % given != 0 || (open == nullptr && given != size)) {
      refuse(fmt::format("{} has {} values, and its digits cover {}", kNames[field], size, given));
    }
    if (open != nullptr) open->radix = size / given;
    std::int64_t weight = 1;
    for (Digit& digit : digits_) {
      if (digit.field != field) continue;
      digit.weight = static_cast<std::int32_t>(weight);
      weight *= digit.radix;
    }
  }
  for (Digit& digit : digits_) {
    const auto radix = static_cast<std::uint64_t>(digit.radix);
    if (std::has_single_bit(radix)) digit.shift = std::countr_zero(radix);
  }
}

Location AddressMap::locate_by_digits(std::int64_t atom) const {
  std::array<std::int32_t, kFields> value{};
  auto rest = static_cast<std::uint64_t>(atom);
  for (const Digit& digit : digits_) {
    const auto radix = static_cast<std::uint64_t>(digit.radix);
    std::uint64_t low = 0;
    if (digit.shift >= 0) {
      low = rest & (radix - 1);
      rest >>= digit.shift;
    } else {
      low = rest % radix;
      rest /= radix;
    }
    value[digit.field] += static_cast<std::int32_t>(low) * digit.weight;
  }
  for (const Hash& hash : hashes_) {
    value[hash.target] ^= (value[hash.source] / hash.divisor) & hash.mask;
  }
  const auto groups = static_cast<std::int32_t>(sizes_[kBankGroup]);
  const auto banks = static_cast<std::int32_t>(sizes_[kBank]);
  return {(value[kStackId] * groups + value[kBankGroup]) * banks + value[kBank], value[kRow],
          value[kColumn]};
}

/// With the row the most significant, and in no hash, one sweep over the rest tells about all.
bool AddressMap::is_row_on_top() const {
  return digits_.back().field == kRow && digits_.back().radix == rows_ &&
         std::none_of(hashes_.begin(), hashes_.end(),
                      [](const Hash& hash) { return hash.source == kRow || hash.target == kRow; });
}

void AddressMap::tabulate_sweep() {
  constexpr std::int64_t kMost = 1 << 14;
  if (!is_row_on_top() || row_sweep() > kMost) return;
  std::vector<Location> sweep;
  for (std::int64_t atom = 0; atom < row_sweep(); ++atom) sweep.push_back(locate_by_digits(atom));
  sweep_ = std::move(sweep);
  const auto size = static_cast<std::uint64_t>(sweep_.size());
  if (std::has_single_bit(size)) sweep_shift_ = std::countr_zero(size);
}

bool AddressMap::is_period(std::int64_t shift, std::int64_t sweep) const {
  struct Image {
    std::int32_t bank = -1, rows = 0;
  };
  std::vector<Image> image(static_cast<std::size_t>(atoms_ / sizes_[kRow] / sizes_[kColumn]));
  for (std::int64_t atom = 0; atom < sweep; ++atom) {
    const Location from = locate(atom);
    const Location to = locate(atom + shift);
    Image& seen = image[from.bank];
    if (seen.bank < 0) seen = {to.bank, to.row - from.row};
    if (seen.bank != to.bank || seen.rows != to.row - from.row) return false;
  }
  // Each bank goes to one bank; stack IDs and bank groups must go as wholes.
  const auto group = [&](std::int64_t bank) { return bank / sizes_[kBank]; };
  const auto stack = [&](std::int64_t bank) { return group(bank) / sizes_[kBankGroup]; };
  for (std::size_t a = 0; a < image.size(); ++a) {
    for (std::size_t b = 0; b < a; ++b) {
      const auto x = static_cast<std::int64_t>(a), y = static_cast<std::int64_t>(b);
      const std::int32_t p = image[a].bank, q = image[b].bank;
      if (p == q) return false;
      if ((group(x) == group(y)) != (group(p) == group(q))) return false;
      if ((stack(x) == stack(y)) != (stack(p) == stack(q))) return false;
    }
  }
  return true;
}

std::int64_t AddressMap::find_period() const {
  if (!is_row_on_top() || rows_ < 2) return 0;
  const std::int64_t sweep = row_sweep();
  std::int64_t shift = 1;
  for (const Digit& digit : digits_) {
    if (is_period(shift, sweep)) return shift;
    shift *= digit.radix;
  }
  return 0;
}

}  // namespace presil::dram

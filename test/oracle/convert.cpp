// convert FORMAT saturate|infinite|decode: floats from standard input, as raw fp32, become numbers
// of the format on standard output, as raw fp32. decode: bytes become the numbers of those codes.
#include <array>
#include <cstdio>
#include <iostream>
#include <string_view>
#include <vector>

#include "values/number/codes.h"
#include "values/number/number.h"

namespace {

using namespace presil;

template <class T>
std::vector<T> read_all() {
  std::vector<T> items;
  std::array<T, 4096> buffer;
  while (const std::size_t count = std::fread(buffer.data(), sizeof(T), buffer.size(), stdin)) {
    items.insert(items.end(), buffer.begin(), buffer.begin() + count);
  }
  return items;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: convert FORMAT saturate|infinite|decode\n";
    return 2;
  }
  const std::string_view name = argv[1];
  const std::string_view way = argv[2];
  std::vector<float> numbers;
  if (name == "e8m0") {
    for (const std::uint8_t code : read_all<std::uint8_t>()) numbers.push_back(decode_e8m0(code));
  } else {
    Format format = Format::fp32;
    for (const Choice<Format>& choice : format_choices()) {
      if (choice.name == name) format = choice.value;
    }
    if (way == "decode") {
      for (const std::uint8_t code : read_all<std::uint8_t>()) {
        numbers.push_back(decode_number(format, code));
      }
    } else {
      numbers = read_all<float>();
      round_all(format, way == "saturate" ? Overflow::saturate : Overflow::infinite, numbers);
    }
  }
  std::fwrite(numbers.data(), sizeof(float), numbers.size(), stdout);
}

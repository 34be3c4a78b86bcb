#include "model/safetensors_header.h"

#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "model/gguf_cursor.h"

namespace presil {
namespace {

using Json = nlohmann::json;

// What a real file never exceeds: the largest dense model (Llama 3.1 405B) has 1138 tensors.
constexpr std::size_t kMaxEntries = 1u << 16;
constexpr std::size_t kMaxName = 512;
constexpr std::size_t kMaxDimensions = 8;
constexpr std::string_view kMetadata = "__metadata__";

/// Takes the parser's events and keeps what an entry needs, so that a header of 100 MB of nonsense
/// costs no tree. Each event says whether to go on; all refusals are thrown.
class HeaderReader : public nlohmann::json_sax<Json> {
 public:
  explicit HeaderReader(const std::string& path) : path_(path) {}

  std::vector<SafetensorsEntry> take() { return std::move(entries_); }

  bool start_object(std::size_t) override {
    if (depth_ == 1 && !in_metadata_) add_entry();
    if (depth_ > 1) refuse("an object inside an entry");
    ++depth_;
    return true;
  }
  bool end_object() override {
    if (--depth_ == 1 && !in_metadata_) check_entry();
    return true;
  }
  bool start_array(std::size_t) override {
    if (depth_ != 2 || in_metadata_ || list() == nullptr || in_list_) refuse("an array");
    if (key_ == "shape" && std::exchange(has_shape_, true)) refuse("a second shape");
    in_list_ = true;
    return true;
  }
  bool end_array() override {
    in_list_ = false;
    return true;
  }
  bool key(std::string& text) override {
    key_ = std::move(text);
    if (depth_ == 1) {
      in_metadata_ = key_ == kMetadata;
      name_ = key_;
    }
    return true;
  }
  bool string(std::string& text) override {
    if (in_metadata_ && depth_ == 2) return true;
    if (depth_ != 2 || key_ != "dtype" || in_list_) refuse("a string");
    if (!entries_.back().dtype.empty()) refuse("a second dtype");
    entries_.back().dtype = std::move(text);
    return true;
  }
  bool number_unsigned(std::uint64_t value) override {
    std::vector<std::uint64_t>* values = depth_ == 2 && in_list_ ? list() : nullptr;
    if (values == nullptr) refuse("a number");
    if (values->size() == kMaxDimensions)
      refuse(fmt::format("more than {} numbers", kMaxDimensions));
    values->push_back(value);
    return true;
  }
  bool number_integer(std::int64_t) override { return refuse("a negative number"); }
  bool number_float(double, const std::string&) override { return refuse("a fraction"); }
  bool null() override { return refuse("null"); }
  bool boolean(bool) override { return refuse("true or false"); }
  bool binary(Json::binary_t&) override { return refuse("binary data"); }
  bool parse_error(std::size_t position, const std::string&, const Json::exception&) override {
    throw file_error(path_, fmt::format("header: malformed JSON at byte {} of it", position));
  }

 private:
  std::string what() const {
    return depth_ == 0 ? "header" : fmt::format("tensor '{}'", name_for_message(name_));
  }
  bool refuse(const std::string& found) const {
    throw file_error(path_, fmt::format("{}: expected {}, found {}", what(),
                                        depth_ == 0 ? "an object with an entry for each tensor"
                                                    : "a dtype, a shape and data_offsets",
                                        found));
  }
  /// The list that the key names, of the entry being read.
  std::vector<std::uint64_t>* list() {
    if (key_ == "shape") return &entries_.back().shape;
    return key_ == "data_offsets" ? &entries_.back().offsets : nullptr;
  }
  void add_entry() {
    if (name_.size() > kMaxName) {
      throw file_error(path_, fmt::format("{}: expected a name of at most {} characters, found {}",
                                          what(), kMaxName, name_.size()));
    }
    if (entries_.size() == kMaxEntries) {
      throw file_error(path_, fmt::format("header: expected at most {} tensors", kMaxEntries));
    }
    entries_.push_back({name_, {}, {}, {}});
    has_shape_ = false;
  }
  void check_entry() const {
    const SafetensorsEntry& e = entries_.back();
    if (e.dtype.empty()) refuse("no dtype");
    if (!has_shape_) refuse("no shape");
    if (e.offsets.size() != 2) refuse(fmt::format("{} data_offsets", e.offsets.size()));
  }

  const std::string& path_;
  std::vector<SafetensorsEntry> entries_;
  std::string name_;  // of the tensor
  std::string key_;   // of what comes next
  int depth_ = 0;     // of objects
  bool has_shape_ = false;
  bool in_list_ = false;
  bool in_metadata_ = false;
};

}  // namespace

std::vector<SafetensorsEntry> parse_safetensors_header(std::string_view header,
                                                       const std::string& path) {
  HeaderReader reader(path);
  Json::sax_parse(header.begin(), header.end(), &reader);
  return reader.take();
}

}  // namespace presil

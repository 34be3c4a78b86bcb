#include "explore/parts_json.h"

#include <nlohmann/json.hpp>

namespace presil {

Json band_json(const Band& b) {
  return {{"low", b.low}, {"typical", b.typical}, {"high", b.high}};
}

Json bound_shares_json(const Charges& charges) {
  Json shares;
  for (const auto& [resource, share] : shares_of(charges)) shares[std::string(resource)] = share;
  return shares;
}

Json lines_json(const std::vector<CostLine>& lines) {
  Json list = Json::array();
  for (const CostLine& line : lines) {
    Json j = {{"name", line.name}};
    j.update(band_json(line.usd));
    j["source"] = line.source;
    list.push_back(std::move(j));
  }
  return list;
}

Json errors_json(const std::vector<Diagnostic>& errors) {
  Json list = Json::array();
  for (const Diagnostic& d : errors) {
    list.push_back(
        {{"file", d.file}, {"line", d.line}, {"column", d.column}, {"message", d.message}});
  }
  return list;
}

Json estimates_json(const std::vector<InputValue>& inputs) {
  Json list = Json::array();
  for (const InputValue& v : inputs) {
    if (v.source && v.source->confidence == Confidence::estimate) {
      list.push_back(v.file + ": " + v.field);
    }
  }
  return list;
}

Json inputs_json(const std::vector<InputValue>& values) {
  Json list = Json::array();
  for (const InputValue& v : values) {
    Json j = {{"file", v.file}, {"line", v.line}, {"field", v.field}, {"value", v.text}};
    if (v.source) {
      j["confidence"] = to_string(v.source->confidence);
      j["ref"] = v.source->reference;
    }
    list.push_back(std::move(j));
  }
  return list;
}

}  // namespace presil

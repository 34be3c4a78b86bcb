#include "serving/device/radio.h"

#include <cmath>

#include <fmt/format.h>

#include "base/describe.h"
#include "base/elementary.h"
#include "base/integers.h"

namespace presil::serving {
namespace {

constexpr std::int64_t kMostResends = 16;  // then a transport gives up; it counts as there

/// What is longer is no network; and sums of these stay far within 64 bits.
void at_most_an_hour(Fields& f, std::string_view name, Nanoseconds time) {
  f.require(time <= to_nanoseconds(Seconds(3600)), name, "expected an hour at most");
}

RadioState read_state(Fields& f) {
  RadioState s;
  s.time = f.quantity<Nanoseconds>("time", "how long it lasts", Sign::non_negative);
  at_most_an_hour(f, "time", s.time);
  s.power = f.quantity<Watts>("power", "drawn in it", Sign::non_negative);
  return s;
}

Radio read_fields(Fields& f) {
  Radio r;
  r.name = f.text("name", "name of the radio, as its file is called");
  r.latency = f.quantity<Nanoseconds>("latency", "one way, device to service, without the bytes");
  r.jitter = f.quantity_or<Nanoseconds>("jitter", "mean of what is added to it", Nanoseconds(0));
  at_most_an_hour(f, "latency", r.latency);
  at_most_an_hour(f, "jitter", r.jitter);
  r.up = f.quantity<BitsPerSecond>("up", "bandwidth of one user to the network");
  r.down = f.quantity<BitsPerSecond>("down", "bandwidth of one user from the network");
  r.loss = f.number_or("loss", "chance that a packet is lost, each direction", 0, {0, 0.5});
  r.packet = f.quantity_or<Bytes>("packet", "bytes of a packet", r.packet, Sign::positive);
  r.idle = f.quantity_or<Watts>("idle", "drawn while nothing goes on", Watts(0));
  r.active = f.quantity_or<Watts>("active", "drawn while bytes move, besides their own", Watts(0));
  r.up_energy = f.quantity_or<JoulesPerBit>("up_energy", "of a bit sent", JoulesPerBit(0));
  r.down_energy = f.quantity_or<JoulesPerBit>("down_energy", "of a bit received", JoulesPerBit(0));
  r.promotion = f.map("promotion", "connecting, before the first byte", read_state);
  r.tail = f.map("tail", "staying connected, after the last byte", read_state);
  return r;
}

}  // namespace

Radio read_radio(const Node& root) {
  Sources sources;
  Radio radio = read_file(root, "radio", read_fields, &sources);
  radio.sources = std::move(sources);
  return radio;
}

Schema radio_schema() {
  return describe_file("radio", "a way to the cloud: 5G, Wi-Fi, fibre", read_fields);
}

Radio load_radio(const std::string& name, const std::filesystem::path& home) {
  const bool is_path = name.find('/') != std::string::npos;
  const auto path = is_path ? std::filesystem::path(name) : home / "radios" / (name + ".yaml");
  if (!std::filesystem::exists(path)) {
    throw MissingInput(fmt::format("no radio is called \"{}\" in radios/", name));
  }
  return read_radio(read_document(path, Syntax::yaml, home));
}

Nanoseconds airtime(const Radio& radio, Direction direction, Bytes bytes) {
  const double bits = 8 * static_cast<double>(bytes.count()) / (1 - radio.loss);
  return to_nanoseconds(Seconds(bits / radio.rate(direction).count()));
}

Nanoseconds travel(const Radio& radio, Bytes bytes, Draws draws) {
  Nanoseconds time = radio.latency;
  time += to_nanoseconds(Seconds(to_seconds(radio.jitter).count() * draws.exponential()));
  if (radio.loss == 0) return time;
  const std::int64_t packets =
      std::max<std::int64_t>(1, ceil_div(bytes.count(), radio.packet.count()));
  double lost = 1 - exp_of(static_cast<double>(packets) * log_of(1 - radio.loss));
  for (std::int64_t n = 0; n < kMostResends && draws.uniform() < lost; ++n) {
    time += radio.latency * 4;
    lost = radio.loss;
  }
  return time;
}

}  // namespace presil::serving

// A network as a device sees it: how long a message takes and what the radio draws for it.
//
// A radio idles until there is something to send or to receive; then it connects (promotion),
// moves the bytes, and stays connected for a while (tail) before it idles again. For short answers
// the tail, not the bytes, is most of the energy. Bytes of one direction follow each other; a
// message then travels for the latency, a random jitter, and a resend for each loss.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "base/document.h"
#include "base/draws.h"
#include "base/fields.h"
#include "base/units.h"

namespace presil::serving {

/// A state that a radio passes through: how long, and at what power.
struct RadioState {
  Nanoseconds time;
  Watts power;
};

enum class Direction { up, down };

struct Radio {
  std::string name;
  Nanoseconds latency;     // one way, from the device to the service's door; none of the bytes
  Nanoseconds jitter;      // mean of what is added to it, drawn from an exponential distribution
  BitsPerSecond up, down;  // what one user gets
  double loss = 0;         // chance of a packet, either direction
  Bytes packet{1400};
  Watts idle;    // attached, nothing going on
  Watts active;  // while bytes move, besides their own energy
  JoulesPerBit up_energy, down_energy;
  RadioState promotion, tail;
  Sources sources;

  BitsPerSecond rate(Direction direction) const { return direction == Direction::up ? up : down; }
  JoulesPerBit energy(Direction direction) const {
    return direction == Direction::up ? up_energy : down_energy;
  }
};

/// Reads a radio/1 file. Throws InputError with every complaint.
Radio read_radio(const Node& root);

Schema radio_schema();

/// Reads home/radios/NAME.yaml, or the file at the path `name`. Throws MissingInput when there is
/// none.
Radio load_radio(const std::string& name, const std::filesystem::path& home);

/// How long `bytes` occupy the radio, what is lost and sent again included.
Nanoseconds airtime(const Radio& radio, Direction direction, Bytes bytes);

/// What a message of `bytes` needs besides its airtime: latency, jitter, and two round trips (the
/// probe timeout of RFC 8985) for each time in a row that some of it, then its last packet, is
/// lost.
Nanoseconds travel(const Radio& radio, Bytes bytes, Draws draws);

}  // namespace presil::serving

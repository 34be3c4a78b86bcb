// What is asked about a device and its cloud: the device, the networks it passes through, the
// service behind them, and the policies that say where each request runs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/fields.h"
#include "serving/device/body.h"

namespace presil::serving {

enum class Place {
  device,
  cloud,
  escalate,  // the device writes; some answers look poor after a while and the cloud starts over
  split_prefill,  // the cloud reads the prompt with the device's model and sends the KV cache
  speculate       // the device drafts, the cloud's model checks
};
std::string_view to_string(Place place);

/// Where requests run for which every condition given holds.
struct Rule {
  std::optional<bool> is_private;
  std::optional<double> battery_below;  // share
  std::optional<std::int64_t> prompt_above;
  std::optional<std::int64_t> waiting_above;  // requests on the device that have not ended
  std::optional<bool> throttled;              // the clock is lowered
  std::vector<std::string> networks;          // one of these; "none" is no network; empty: any
  Place run = Place::device;
};

/// The first rule that fits decides; the device when none does.
struct Policy {
  std::string name;
  std::vector<Rule> rules;
};

/// The networks come round in this order.
struct NetworkStretch {
  std::string radio;  // a file in radios/, or "none"
  Seconds time;
};

/// Which model on which chip; `serving` only hands it on to who has costs of steps.
struct ModelOnChip {
  std::string chip, model, numerics;
  std::vector<std::string> set;  // overrides of the chip's file
  std::int64_t tensor_parallel = 1;
};

/// A replica in the cloud that is under load: `batch` sequences decode at a time, ours among them.
struct CloudSpec {
  ModelOnChip service;
  std::int64_t batch = 32;
  std::int64_t context = 1500;        // tokens, mean of the others
  std::int64_t prefill_chunk = 2048;  // tokens of a prompt in one step
  Nanoseconds wait{30'000'000};       // mean of what passes before a prompt's first step
  std::optional<Usd> prompt_price, output_price;  // a million tokens; else of who runs it
};

/// A call that is interpreted while it goes on. Speech arrives in chunks; each is encoded, read by
/// the model, answered in the other language and spoken.
struct SpeechSpec {
  std::string encoder;                // a model in models/
  Seconds duration{600};              // of speech
  Seconds chunk{2};                   // heard before it is worked on
  std::int64_t frames = 1500;         // that one run of the encoder reads
  double prompt_tokens_per_s = 6.25;  // of the model, a second of speech
  double output_tokens_per_s = 4;
  std::int64_t context = 1024;  // tokens of instruction and of what was said before
  double synthesis_time = 0.1;  // seconds of the chip a second of speech
  Watts synthesis_power{1.5};
  Seconds synthesis_latency{0.1};  // until the first sound, at most the whole synthesis
  Bytes audio_per_s{3000};         // of a call, each direction
  bool keeps_radio = true;         // the call's own packets keep the radio connected
};

struct Speculating {
  std::int64_t tokens = 4;  // drafted a round
  double acceptance = 0.7;  // chance that a drafted token is right, given those before it
};

struct Escalating {
  double chance = 0.2;
  std::int64_t after = 16;  // tokens that are held back until it is known
};

struct MessageSizes {
  Bytes request{1500};        // headers and all that is not the prompt
  Bytes per_prompt_token{5};  // text
  Bytes per_token{200};       // streamed, an event each
};

struct DeviceSpec {
  ModelOnChip local;
  double memory_taken = 0;  // share of the DRAM's bandwidth that the rest of the device uses
  std::int64_t max_context = 8192;
  std::int64_t prefill_chunk = 512;
  Watts rest;  // screen and all else, while the requests go on
  std::optional<Battery> battery;
  ThermalSpec thermal;
  std::vector<NetworkStretch> networks;
  std::optional<CloudSpec> cloud;
  std::optional<SpeechSpec> speech;
  Speculating speculation;
  Escalating escalation;
  MessageSizes messages;
  double private_share = 0;           // of requests
  std::optional<Nanoseconds> budget;  // for the first token, or sound
  std::vector<Policy> policies;       // each runs the whole load by itself; never empty

  /// Whether some rule runs requests at `place`.
  bool uses(Place place) const;
};

/// Reads a scenario's `device:` block.
DeviceSpec read_device(Fields& fields);

}  // namespace presil::serving

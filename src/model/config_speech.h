// The encoder of a Whisper model, from the config.json of the whole.
#pragma once

#include "base/fields.h"
#include "model/architecture.h"

namespace presil {

/// Whether a config.json is Whisper's.
bool is_speech_encoder(const Node& root);

/// Reads the encoder's keys; those of the decoder are not ours. The two convolutions in front of
/// its layers are left out; the table of positions stands where others have their embedding.
void read_speech_encoder(Fields& fields, Architecture& a);

}  // namespace presil

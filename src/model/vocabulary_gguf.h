// The tokenizer's keys of a GGUF file.
#pragma once

#include "model/gguf.h"
#include "model/vocabulary.h"

namespace presil {

/// The vocabulary that `file` carries, with llama.cpp's defaults; without tokens if it carries
/// none. Throws InputError for values of the wrong type or out of range.
Vocabulary read_vocabulary(const Gguf& file);

}  // namespace presil

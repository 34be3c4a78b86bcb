// The tokenizer of a Hugging Face model folder: tokenizer.json, with tokenizer_config.json beside
// it.
//
// tokenizer.json describes a pipeline. We recognise the pipelines of the families that we know,
// by their parts, and refuse any other by name: running another pipeline as one of ours would give
// wrong tokens without a word.
#pragma once

#include <filesystem>

#include "model/vocabulary.h"

namespace presil {

/// The vocabulary of the tokenizer.json at `path`: BPE, byte-level with one of PreTokenizer's
/// splits or of characters with byte fallback (as Llama 2's). Special tokens (<|im_end|>) become
/// control tokens, other added tokens user-defined ones. From tokenizer_config.json: BOS, EOS and
/// the chat template (or chat_template.jinja), where there are any. Qwen's Unicode normalisation
/// (NFC) is left out, as in llama.cpp. Throws MissingInput, or InputError: not JSON, over 64 MiB,
/// an unknown pipeline, token ids that leave gaps.
Vocabulary read_tokenizer_json(const std::filesystem::path& path);

}  // namespace presil

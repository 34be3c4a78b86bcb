// The names of the KV blocks of a prompt: each the hash of the text from the prompt's start to the
// block's end, as vLLM's chain of block hashes.
#pragma once

#include <cstdint>
#include <vector>

#include "serving/request.h"

namespace presil::serving {

/// Writes the names of the prompt's whole blocks of `block_size` tokens into `names`, as far as
/// Request::prefix says what the text is. Blocks of a request need not divide blocks of the
/// engine, nor the other way round: two blocks have one name when all text up to their end has.
void name_blocks(const Request& request, std::int64_t block_size,
                 std::vector<std::uint64_t>& names);

}  // namespace presil::serving

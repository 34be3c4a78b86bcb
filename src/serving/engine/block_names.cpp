#include "serving/engine/block_names.h"

#include <algorithm>

#include "base/draws.h"
#include "base/integers.h"

namespace presil::serving {

void name_blocks(const Request& request, std::int64_t block_size,
                 std::vector<std::uint64_t>& names) {
  names.clear();
  if (request.prefix.empty() || request.prefix_block <= 0) return;
  const std::int64_t parts = std::min(static_cast<std::int64_t>(request.prefix.size()),
                                      ceil_div(request.prompt_tokens, request.prefix_block));
  const std::int64_t known = std::min(request.prompt_tokens, parts * request.prefix_block);

  std::uint64_t name = 0;
  std::int64_t part = 0;  // the first that is not in the name
  for (std::int64_t end = block_size; end <= known; end += block_size) {
    for (; part * request.prefix_block < end; ++part) {
      name = mix(name + mix(request.prefix[static_cast<std::size_t>(part)] + 1));
    }
    name = mix(name + static_cast<std::uint64_t>(end));
    names.push_back(name);
  }
}

}  // namespace presil::serving

#include "serving/engine/kv_blocks.h"

#include <algorithm>
#include <limits>

#include "base/error.h"

namespace presil::serving {

KvBlocks::KvBlocks(std::int64_t capacity) : capacity_(capacity) {
  CHECK(capacity > 0, "a KV cache has blocks");
  put_back(capacity);
}

std::int64_t KvBlocks::cached(std::span<const std::uint64_t> names) const {
  std::int64_t count = 0;
  for (const std::uint64_t name : names) {
    if (oldest_.find(name) == kNone) break;
    ++count;
  }
  return count;
}

bool KvBlocks::admit(HeldBlocks& held, std::span<const std::uint64_t> names, std::int64_t more) {
  std::int64_t wanted = more;  // out of the queue
  for (const std::uint64_t name : names) wanted += nodes_[oldest_.find(name)].holders == 0;
  if (wanted > free_) return false;

  for (const std::uint64_t name : names) {
    const std::int32_t node = oldest_.find(name);
    if (nodes_[node].holders++ == 0) {
      unlink(node);
      --free_;
    }
    held.named.push_back(node);
  }
  return grow(held, more);
}

void KvBlocks::name(HeldBlocks& held, std::uint64_t name) {
  CHECK(held.nameless > 0, "a block is named once");
  const std::int32_t node = new_node();
  Node& block = nodes_[node];
  block.name = name;
  block.holders = 1;
  block.older = block.newer = node;
  const std::int32_t oldest = oldest_.find(name);
  if (oldest == kNone) {
    oldest_.insert(name, node);
  } else {
    Node& first = nodes_[oldest];
    block.older = first.older;
    block.newer = oldest;
    nodes_[first.older].newer = node;
    first.older = node;
  }
  held.named.push_back(node);
  --held.nameless;
}

void KvBlocks::release(HeldBlocks& held) {
  put_back(held.nameless);
  held.nameless = 0;
  for (; !held.named.empty(); held.named.pop_back()) {
    const std::int32_t node = held.named.back();
    if (--nodes_[node].holders > 0) continue;
    push(node);
    ++free_;
  }
}

std::int32_t KvBlocks::new_node() {
  if (!spare_nodes_.empty()) {
    const std::int32_t node = spare_nodes_.back();
    spare_nodes_.pop_back();
    nodes_[node] = {};
    return node;
  }
  CHECK(nodes_.size() < std::numeric_limits<std::int32_t>::max(), "blocks are counted in 31 bits");
  nodes_.emplace_back();
  return static_cast<std::int32_t>(nodes_.size() - 1);
}

/// Takes blocks from the front of the queue; what they kept is forgotten.
void KvBlocks::take(std::int64_t count) {
  free_ -= count;
  while (count > 0) {
    const std::int32_t node = front_;
    Node& front = nodes_[node];
    if (front.stretch > count) {
      front.stretch -= count;
      return;
    }
    count -= std::max<std::int64_t>(1, front.stretch);
    if (front.stretch == 0) forget(node);
    unlink(node);
    spare_nodes_.push_back(node);
  }
}

void KvBlocks::forget(std::int32_t node) {
  const Node& block = nodes_[node];
  if (block.newer == node) {
    oldest_.erase(block.name);
    return;
  }
  if (oldest_.find(block.name) == node) oldest_.replace(block.name, block.newer);
  nodes_[block.older].newer = block.newer;
  nodes_[block.newer].older = block.older;
}

void KvBlocks::put_back(std::int64_t nameless) {
  if (nameless == 0) return;
  free_ += nameless;
  if (back_ == kNone || nodes_[back_].stretch == 0) push(new_node());
  nodes_[back_].stretch += nameless;
}

void KvBlocks::push(std::int32_t node) {
  nodes_[node].ahead = back_;
  nodes_[node].behind = kNone;
  (back_ == kNone ? front_ : nodes_[back_].behind) = node;
  back_ = node;
}

void KvBlocks::unlink(std::int32_t node) {
  const auto [ahead, behind] = std::pair(nodes_[node].ahead, nodes_[node].behind);
  (ahead == kNone ? front_ : nodes_[ahead].behind) = behind;
  (behind == kNone ? back_ : nodes_[behind].ahead) = ahead;
  if (ahead == kNone || behind == kNone) return;
  if (nodes_[ahead].stretch == 0 || nodes_[behind].stretch == 0) return;
  nodes_[ahead].stretch += nodes_[behind].stretch;  // two stretches that meet are one
  unlink(behind);
  spare_nodes_.push_back(behind);
}

}  // namespace presil::serving

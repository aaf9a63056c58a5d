// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/former_table.h"

#include <bpf/bpf.h>

#include <cerrno>
#include <utility>

namespace xdpflowd {

FormerTable::FormerTable(RawMap map, size_t key_size, size_t flow_size)
    : map_(std::move(map)), key_size_(key_size), flow_size_(flow_size) {}

Result<FormerTable> FormerTable::open(const std::string& pin, size_t key_size, size_t flow_size) {
  auto map = RawMap::open_pin(
      pin, {BPF_MAP_TYPE_LRU_HASH, static_cast<uint32_t>(key_size), static_cast<uint32_t>(flow_size)});
  if (!map) return map.error();
  return FormerTable(std::move(*map), key_size, flow_size);
}

Result<bool> FormerTable::next(const Visitor& visit) {
  for (;;) {
    keys_.resize(room_ * key_size_);
    flows_.resize(room_ * flow_size_);
    auto count = static_cast<uint32_t>(room_);
    const int failed = bpf_map_lookup_batch(map_.fd(), started_ ? &position_ : nullptr, &position_,
                                            keys_.data(), flows_.data(), &count, nullptr);
    if (failed == 0 || failed == -ENOENT) {
      started_ = failed == 0;
      for (uint32_t i = 0; i < count; ++i)
        visit(keys_.data() + i * key_size_, flows_.data() + i * flow_size_);
      return failed == 0;
    }
    if (failed != -ENOSPC) return system_error(failed, "cannot read " + map_.name());
    room_ *= 2;  // the next bucket holds more flows than fit
  }
}

Status FormerTable::erase(const std::vector<std::byte>& keys) const {
  const size_t all = keys.size() / key_size_;
  for (size_t done = 0; done < all;) {
    auto count = static_cast<uint32_t>(all - done);
    const int failed = bpf_map_delete_batch(map_.fd(), keys.data() + done * key_size_, &count, nullptr);
    if (failed != 0 && failed != -ENOENT) return system_error(failed, "cannot erase from " + map_.name());
    // It stops at an absent key.
    done += count + (failed == 0 ? 0 : 1);
  }
  return ok();
}

}  // namespace xdpflowd

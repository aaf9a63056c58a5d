// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "dataplane/map_view.h"

namespace xdpflowd {

/// A flow table of another layout, which no packet uses any more: nothing comes in, and what is taken out is
/// gone. Only there may user space delete: no timer of ours, no counter depends on it.
class FormerTable {
 public:
  /// Code ENOENT: there is none.
  static Result<FormerTable> open(const std::string& pin, size_t key_size, size_t flow_size);

  using Visitor = std::function<void(const std::byte* key, const std::byte* flow)>;
  /// Shows some thousand elements; false if they were the last. Then the next walk begins.
  Result<bool> next(const Visitor& visit);
  /// `keys`: one after the other. Absent ones do no harm.
  Status erase(const std::vector<std::byte>& keys) const;

 private:
  FormerTable(RawMap map, size_t key_size, size_t flow_size);

  RawMap map_;
  size_t key_size_, flow_size_;
  size_t room_ = 4096;  // elements
  std::vector<std::byte> keys_, flows_;
  uint32_t position_ = 0;  // the kernel's: a bucket of the hash
  bool started_ = false;
};

}  // namespace xdpflowd

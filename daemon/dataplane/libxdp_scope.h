// SPDX-License-Identifier: GPL-2.0-or-later
// libxdp 1.3.1 never closes the descriptors of the programs that it looks at: each keeps its program in
// memory.
#pragma once

#include <functional>
#include <set>

namespace xdpflowd {

/// Around calls of libxdp: closes, at its end, the descriptors of BPF programs that these left open. Nothing
/// else in this thread or another may open any meanwhile.
class LibxdpScope {
 public:
  /// `keeps`: the descriptors that are wanted, asked at the end.
  explicit LibxdpScope(std::function<std::set<int>()> keeps = [] { return std::set<int>(); });
  LibxdpScope(const LibxdpScope&) = delete;
  LibxdpScope& operator=(const LibxdpScope&) = delete;
  ~LibxdpScope();

 private:
  std::function<std::set<int>()> keeps_;
  std::set<int> before_;
};

}  // namespace xdpflowd

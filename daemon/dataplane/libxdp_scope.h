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
  /// `keeps`: the descriptor that is wanted, asked at the end; negative for none.
  explicit LibxdpScope(std::function<int()> keeps = [] { return -1; });
  LibxdpScope(const LibxdpScope&) = delete;
  LibxdpScope& operator=(const LibxdpScope&) = delete;
  ~LibxdpScope();

 private:
  std::function<int()> keeps_;
  std::set<int> before_;
};

}  // namespace xdpflowd

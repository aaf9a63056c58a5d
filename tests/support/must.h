// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string>

namespace xdpflowd::test {

/// Throws with errno's text if `outcome`, of a call of the kernel or of libbpf, is negative.
inline void must(int outcome, const std::string& what) {
  if (outcome < 0) throw std::runtime_error(what + ": " + std::strerror(errno));
}

}  // namespace xdpflowd::test

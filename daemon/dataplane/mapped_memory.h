// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>

#include "base/result.h"

namespace xdpflowd {

/// Owns a mapping of memory.
class MappedMemory {
 public:
  MappedMemory() = default;
  static Result<MappedMemory> map(int fd, size_t size, int protection, size_t offset);
  MappedMemory(MappedMemory&& other) noexcept;
  MappedMemory& operator=(MappedMemory&& other) noexcept;
  ~MappedMemory();

  void* data() const { return data_; }

 private:
  void* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace xdpflowd

// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/mapped_memory.h"

#include <sys/mman.h>

#include <cerrno>
#include <utility>

namespace xdpflowd {

Result<MappedMemory> MappedMemory::map(int fd, size_t size, int protection, size_t offset) {
  void* data = mmap(nullptr, size, protection, MAP_SHARED, fd, static_cast<off_t>(offset));
  if (data == MAP_FAILED) return system_error(errno, "cannot map memory");
  MappedMemory memory;
  memory.data_ = data;
  memory.size_ = size;
  return memory;
}

MappedMemory::MappedMemory(MappedMemory&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedMemory& MappedMemory::operator=(MappedMemory&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

MappedMemory::~MappedMemory() {
  if (data_) munmap(data_, size_);
}

}  // namespace xdpflowd

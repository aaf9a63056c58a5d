// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/event_ring.h"

#include <fcntl.h>
#include <linux/bpf.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

namespace xdpflowd {

namespace {

template <class T>
T load_acquire(const void* at) {
  return __atomic_load_n(static_cast<const T*>(at), __ATOMIC_ACQUIRE);
}

/// Header and record, rounded up to 8 bytes.
unsigned long room_of(uint32_t length) {
  return (BPF_RINGBUF_HDR_SZ + length + 7UL) & ~7UL;
}

}  // namespace

Result<EventRing> EventRing::open(int fd, size_t size, const std::string& name) {
  const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  EventRing ring;
  ring.size_ = size;
  ring.fd_ = UniqueFd(fcntl(fd, F_DUPFD_CLOEXEC, 0));
  if (!ring.fd_) return system_error(errno, "cannot duplicate the descriptor of " + name);
  auto consumer = MappedMemory::map(fd, page, PROT_READ | PROT_WRITE, 0);
  if (!consumer) return in_context(consumer.error(), name);
  auto producer = MappedMemory::map(fd, page + 2 * size, PROT_READ, page);
  if (!producer) return in_context(producer.error(), name);
  ring.consumer_ = std::move(*consumer);
  ring.producer_ = std::move(*producer);
  ring.data_ = static_cast<const std::byte*>(ring.producer_.data()) + page;
  ring.rewind();
  return ring;
}

size_t EventRing::available() const {
  return load_acquire<unsigned long>(producer_.data()) - load_acquire<unsigned long>(consumer_position());
}

size_t EventRing::drain(size_t max, const std::function<void(std::span<const std::byte>)>& visit) {
  const auto produced = load_acquire<unsigned long>(producer_.data());
  size_t shown = 0;
  while (shown < max && drained_ != produced) {
    const std::byte* header = data_ + (drained_ & (size_ - 1));
    const auto length = load_acquire<uint32_t>(header);
    if (length & BPF_RINGBUF_BUSY_BIT) break;
    const uint32_t bytes = length & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);
    if (!(length & BPF_RINGBUF_DISCARD_BIT)) {
      visit({header + BPF_RINGBUF_HDR_SZ, bytes});
      ++shown;
    }
    drained_ += room_of(bytes);
  }
  return shown;
}

void EventRing::commit() {
  __atomic_store_n(consumer_position(), drained_, __ATOMIC_RELEASE);
}

void EventRing::rewind() {
  drained_ = load_acquire<unsigned long>(consumer_position());
}

}  // namespace xdpflowd

// SPDX-License-Identifier: GPL-2.0-or-later
// A BPF ring buffer whose consumer decides when records are gone: they stay in the kernel until commit(), so
// that a daemon killed between reading and writing them leaves them to the next one. (libbpf's consumer frees
// each at once.)
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>

#include "base/result.h"
#include "base/unique_fd.h"
#include "dataplane/map_view.h"
#include "dataplane/mapped_memory.h"

namespace xdpflowd {

class EventRing {
 public:
  /// Maps a ring, whose descriptor is duplicated. It has one consumer: the daemon.
  static Result<EventRing> open(const RawMap& map) { return open(map.fd(), map.max_entries(), map.name()); }
  static Result<EventRing> open(int fd, size_t size, const std::string& name);

  /// For epoll, level-triggered: readable while there is something that was not committed.
  int fd() const { return fd_.get(); }
  /// Bytes in use: what was not committed, headers included.
  size_t available() const;
  size_t capacity() const { return size_; }

  /// Shows up to `max` records after those already drained; returns how many. The bytes are the kernel's:
  /// read only, and gone after commit().
  size_t drain(size_t max, const std::function<void(std::span<const std::byte>)>& visit);
  /// Frees what was drained.
  void commit();
  /// Takes back what was drained since the last commit: the next drain shows it again.
  void rewind();

 private:
  EventRing() = default;
  unsigned long* consumer_position() const { return static_cast<unsigned long*>(consumer_.data()); }

  UniqueFd fd_;
  MappedMemory consumer_;  // one page: how far we are, written by us
  MappedMemory
      producer_;  // one page: how far the kernel is; then the data, twice, so that no record is ever split
  const std::byte* data_ = nullptr;
  size_t size_ = 0;
  unsigned long drained_ = 0;  // position after the last record shown
};

}  // namespace xdpflowd

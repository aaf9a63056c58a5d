// SPDX-License-Identifier: GPL-2.0-or-later
// What the kernel tells without being asked: the rings `records` and `events`.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "base/result.h"
#include "dataplane/event_ring.h"
#include "dataplane/pinned_state.h"
#include "flow/record_sink.h"

namespace xdpflowd {

/// Moves records from the ring to the file. A batch leaves the ring once it was written: at least once over
/// kill -9.
class RecordReader {
 public:
  /// What a data plane of a former layout has left comes first.
  static Result<RecordReader> open(const PinnedState& state, const std::string& file);

  int fd() const { return ring_.fd(); }
  /// Writes all that is in the ring now.
  void drain();
  /// For logrotate.
  Status reopen() { return sink_.reopen(); }
  /// Goes on in another file; the old one stays in use if that cannot be opened.
  Status move_to(const std::string& file) { return sink_.move_to(file); }
  uint64_t lost() const { return sink_.lost(); }

 private:
  RecordReader(EventRing ring, RecordSink sink) : ring_(std::move(ring)), sink_(std::move(sink)) {}
  size_t drain_batch();
  void append(std::string& lines, const xf_record& record, int64_t offset) const;
  void drain_former(const std::string& state_dir);

  EventRing ring_;
  RecordSink sink_;
  std::array<std::string, XF_ZONES_MAX> zone_names_;
};

/// Logs what happened in the data plane, and passes on what happened to targets.
class EventReader {
 public:
  using TargetListener = std::function<void(const xf_target_event&)>;

  static Result<EventReader> open(const PinnedState& state, TargetListener listener);

  int fd() const { return ring_.fd(); }
  void drain();

 private:
  EventReader(EventRing ring, TargetListener listener)
      : ring_(std::move(ring)), listener_(std::move(listener)) {}
  void take(std::span<const std::byte> bytes) const;

  EventRing ring_;
  TargetListener listener_;
};

}  // namespace xdpflowd

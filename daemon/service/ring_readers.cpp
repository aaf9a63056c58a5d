// SPDX-License-Identifier: GPL-2.0-or-later
#include "service/ring_readers.h"

#include <cerrno>
#include <cstring>

#include "base/clock.h"
#include "base/log.h"
#include "dataplane/former_records.h"
#include "flow/record.h"

namespace xdpflowd {

namespace {

constexpr size_t batch_size = 4096;  // records, about 2 MB of JSON

void log_event(const xf_event& event) {
  switch (event.type) {
    case XF_EVENT_REAPER_REVIVED:
      log::warn("the reaper had stopped and was restarted by a new flow; ended flows may have waited for it");
      return;
    default:
      log::warn("the data plane reports an event of unknown type {}", event.type);
  }
}

}  // namespace

Result<RecordReader> RecordReader::open(const PinnedState& state, const std::string& file) {
  auto ring = EventRing::open(state.records());
  if (!ring) return in_context(ring.error(), "ring records");
  RecordReader reader(std::move(*ring), RecordSink(file));
  for (const auto& zone : state.zones()) reader.zone_names_[zone.index] = zone.zone.name;
  if (auto opened = reader.sink_.reopen(); !opened)
    log::warn("{}; records are lost and counted until it can be opened", opened.error().message);
  reader.drain_former(state.state_dir());
  return reader;
}

void RecordReader::append(std::string& lines, const xf_record& record, int64_t offset) const {
  if (record.key.zone >= XF_ZONES_MAX) return;
  lines += record_json(record, zone_names_[record.key.zone], offset);
  lines += '\n';
}

void RecordReader::drain_former(const std::string& state_dir) {
  auto former = FormerRecords::open(state_dir);
  if (!former && former.error().code != ENOENT)
    log::warn("carry-over: the records of flows that have ended are dropped: {}", former.error().message);
  if (!former) return;
  const int64_t offset = realtime_offset_ns();
  for (size_t drained = batch_size; drained == batch_size;) {
    std::string lines;
    drained = former->drain(batch_size, [&](const xf_record& record) { append(lines, record, offset); });
    sink_.write(lines);
    former->commit();
  }
}

size_t RecordReader::drain_batch() {
  std::string lines;
  const int64_t offset = realtime_offset_ns();
  const size_t drained = ring_.drain(batch_size, [&](std::span<const std::byte> bytes) {
    xf_record record;
    if (bytes.size() != sizeof record) return;
    std::memcpy(&record, bytes.data(), sizeof record);
    append(lines, record, offset);
  });
  sink_.write(lines);
  ring_.commit();
  return drained;
}

void RecordReader::drain() {
  // Bounded, so that a flood of records never keeps the loop from a scrape: what is left wakes it again.
  for (int batch = 0; batch < 16; batch++)
    if (drain_batch() < batch_size) return;
}

Result<EventReader> EventReader::open(const PinnedState& state, TargetListener listener) {
  auto ring = EventRing::open(state.events());
  if (!ring) return in_context(ring.error(), "ring events");
  return EventReader(std::move(*ring), std::move(listener));
}

void EventReader::take(std::span<const std::byte> bytes) const {
  if (bytes.size() == sizeof(xf_target_event)) {
    xf_target_event event;
    std::memcpy(&event, bytes.data(), sizeof event);
    if (event.type == XF_EVENT_TARGET) listener_(event);
  } else if (bytes.size() == sizeof(xf_event)) {
    xf_event event;
    std::memcpy(&event, bytes.data(), sizeof event);
    log_event(event);
  }
}

void EventReader::drain() {
  ring_.drain(batch_size, [this](std::span<const std::byte> bytes) { take(bytes); });
  ring_.commit();
}

}  // namespace xdpflowd

// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/former_records.h"

#include <sys/stat.h>

#include <cerrno>
#include <utility>

#include "dataplane/former_state.h"
#include "dataplane/map_view.h"
#include "dataplane/pin_paths.h"

namespace xdpflowd {

Result<FormerRecords> FormerRecords::open(const std::string& state_dir) {
  const auto folder = former_layout_dir(state_dir);
  struct stat about {};
  if (stat(folder.c_str(), &about) != 0) return system_error(errno, folder);
  const auto former = FormerState::open(folder);
  if (!former) return former.error();
  auto records = former->translator("xf_record");
  if (!records) return records.error();
  const auto lacking = records->lacking(
      {"key", "forward", "reverse", "created_ns", "last_seen_ns", "ended_ns", "status", "reason"});
  if (!lacking.empty()) return fail("struct xf_record: " + lacking);
  const auto map = RawMap::open_pin(map_pin(folder, "records"), {BPF_MAP_TYPE_RINGBUF, 0, 0});
  if (!map) return fail(map.error().message);
  auto ring = EventRing::open(*map);
  if (!ring) return fail(ring.error().message);
  return FormerRecords(std::move(*ring), std::move(*records));
}

size_t FormerRecords::drain(size_t max, const std::function<void(const xf_record&)>& visit) {
  return ring_.drain(max, [&](std::span<const std::byte> bytes) {
    xf_record record;
    if (bytes.size() != records_.their_size()) return;
    records_.translate(bytes.data(), &record);
    visit(record);
  });
}

}  // namespace xdpflowd

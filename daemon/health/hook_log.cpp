// SPDX-License-Identifier: GPL-2.0-or-later
#include "health/hook_log.h"

#include <algorithm>

#include "base/log.h"

namespace xdpflowd {

void HookLog::take(Stream& stream, std::string_view bytes) {
  while (!bytes.empty() && lines_ <= lines_max) {
    const size_t end = bytes.find('\n');
    append(stream, bytes.substr(0, end));
    if (end == std::string_view::npos) return;
    log(stream);
    bytes.remove_prefix(end + 1);
  }
}

void HookLog::append(Stream& stream, std::string_view bytes) const {
  const size_t room = line_bytes_max - stream.line.size();
  stream.cut = stream.cut || bytes.size() > room;
  stream.line += bytes.substr(0, room);
}

void HookLog::log(Stream& stream) {
  if (lines_++ < lines_max)
    log::write(stream.level, "target {}: hook: {}{}", target_, stream.line, stream.cut ? "..." : "");
  else if (lines_ == lines_max + 1)
    log::warn("target {}: hook wrote more than {} lines; the rest is not logged", target_, lines_max);
  stream.line.clear();
  stream.cut = false;
}

void HookLog::finish() {
  for (Stream* stream : {&out_, &err_})
    if (!stream->line.empty()) log(*stream);
}

}  // namespace xdpflowd

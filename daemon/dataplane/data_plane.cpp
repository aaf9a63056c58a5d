// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/data_plane.h"

#include <unistd.h>

#include "base/clock.h"
#include "dataplane/starter.h"

namespace xdpflowd {

Result<DataPlane> DataPlane::start(const Settings& settings, const std::string& version) {
  return Starter(settings, version).run();
}

Status DataPlane::heartbeat() const {
  auto control = state_.control().get(0);
  if (!control) return control.error();
  control->heartbeat_ns = monotonic_ns();
  control->pid = static_cast<uint32_t>(getpid());
  return state_.control().set(0, *control);
}

}  // namespace xdpflowd

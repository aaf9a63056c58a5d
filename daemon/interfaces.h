// SPDX-License-Identifier: GPL-2.0-or-later
// The network devices of the router and those that the settings name: the data plane follows both.
#pragma once

#include <set>
#include <string>

#include "base/result.h"
#include "dataplane/data_plane.h"
#include "service/link_monitor.h"
#include "settings/settings.h"

namespace xdpflowd {

class Interfaces {
 public:
  explicit Interfaces(LinkMonitor monitor) : monitor_(std::move(monitor)) {}

  /// The devices that `settings` mean now, there or not.
  std::vector<InterfaceSettings> chosen(const Settings& settings) const;

  /// As of the start or on_links().
  const LinkTable& links() const { return monitor_.table(); }

  /// Readable when devices may have changed: call on_links().
  int fd() const { return monitor_.fd(); }
  Status on_links(const Settings& settings, DataPlane& data_plane);
  /// After the settings have changed; what was refused before is tried again.
  Status follow(const Settings& settings, DataPlane& data_plane, Retry retry);

  /// Logs traps in the choice of devices, each once as long as it is there.
  void advise(const Settings& settings);

 private:
  LinkMonitor monitor_;
  std::set<std::string> advice_;
};

}  // namespace xdpflowd

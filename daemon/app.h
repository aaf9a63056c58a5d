// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "dataplane/bookkeeper.h"
#include "dataplane/data_plane.h"
#include "metrics/collector.h"
#include "metrics/http_server.h"
#include "service/event_loop.h"
#include "service/ring_readers.h"
#include "settings/settings.h"

namespace xdpflowd {

/// Owns the parts of the daemon: the data plane first, then what watches it. Destroyed in the reverse order,
/// and the data plane goes on without it.
class App {
 public:
  /// Attached and listening, or an error.
  static Result<std::unique_ptr<App>> start(const Settings& settings);

  /// Until SIGTERM or SIGINT; the exit code.
  Result<int> run() { return loop_.run(); }

 private:
  App(const Settings& settings, EventLoop loop, DataPlane data_plane, UniqueFd metrics_socket);
  Status open_rings();
  Status serve_metrics();
  Status listen_to_signals();
  Status start_ticking();
  Status keep(Result<EventSource> source);
  void tick();
  void reopen_records();
  Result<std::string> metrics_page();

  const Settings settings_;
  const BuildInfo build_;
  EventLoop loop_;
  DataPlane data_plane_;
  Bookkeeper books_;
  UniqueFd metrics_socket_;  // empty: no endpoint
  std::optional<RecordReader> records_;
  std::optional<EventReader> events_;
  std::optional<HttpServer> http_;
  std::vector<EventSource> sources_;
};

}  // namespace xdpflowd

// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "dataplane/bookkeeper.h"
#include "dataplane/data_plane.h"
#include "health/health_checks.h"
#include "health/newsroom.h"
#include "housekeeper.h"
#include "interfaces.h"
#include "metrics/collector.h"
#include "metrics/http_server.h"
#include "reload.h"
#include "service/event_loop.h"
#include "service/notify.h"
#include "service/ring_readers.h"
#include "settings/settings.h"

namespace xdpflowd {

/// Owns the parts of the daemon: the data plane first, then what watches it. Destroyed in the reverse order,
/// and the data plane goes on without it.
class App {
 public:
  /// Attached and listening, or an error.
  /// `load`: the settings as they are by then, for SIGHUP.
  static Result<std::unique_ptr<App>> start(const Settings& settings, SettingsLoader load);

  /// Until SIGTERM or SIGINT; the exit code.
  Result<int> run() { return loop_.run(); }

 private:
  App(const Settings& settings, SettingsLoader load, EventLoop loop, DataPlane data_plane,
      Interfaces interfaces, UniqueFd metrics_socket);
  Status open_rings();
  Status forget_former_layout();
  Status record_to(const std::string& file);
  Status serve_metrics();
  Status serve_metrics_at(const std::string& address);
  Status listen_to_signals();
  Status listen_to_links();
  Status start_ticking();
  Status keep(Result<EventSource> source);
  Status feed_watchdog();
  void reload();
  void tick();
  void give_up();
  void balance_books();
  void reopen_records();
  Status open_health();
  Status apply_targets(const Settings& wanted);
  Result<std::string> metrics_page();

  Settings settings_;  // what runs: those of the start, then as reloaded
  const BuildInfo build_;
  EventLoop loop_;
  DataPlane data_plane_;
  Interfaces interfaces_;
  Bookkeeper books_;
  UniqueFd metrics_socket_;  // empty: no endpoint
  std::optional<RecordReader> records_;
  std::optional<EventSource> records_source_;
  std::optional<EventReader> events_;
  std::optional<HealthChecks> health_;
  std::optional<Newsroom> news_;
  std::optional<HttpServer> http_;
  std::vector<EventSource> sources_;
  Housekeeper housekeeper_;
  Notifier notifier_;
  bool healthy_ = true;  // the last heartbeat reached the kernel
  Reload reload_;
};

}  // namespace xdpflowd

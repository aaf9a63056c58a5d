// SPDX-License-Identifier: GPL-2.0-or-later
#include "app.h"

#include <signal.h>

#include <algorithm>

#include "base/clock.h"
#include "base/log.h"
#include "dataplane/configuration.h"
#include "dataplane/kernel.h"
#include "dataplane/state_lock.h"
#include "metrics/listener.h"

namespace xdpflowd {

namespace {

/// What `systemctl status` shows.
std::string service_status(const Snapshot& snapshot) {
  uint64_t flows = 0;
  for (const auto& zone : snapshot.zones)
    for (const auto table : {XF_TABLE_HALF_OPEN, XF_TABLE_ESTABLISHED})
      flows += flows_by_the_books(zone, table);
  const auto attached = std::ranges::count_if(
      snapshot.interfaces, [](const auto& interface) { return interface.mode != XF_MODE_DETACHED; });
  return std::to_string(flows) + " flows; " + std::to_string(attached) + " of " +
         std::to_string(snapshot.interfaces.size()) + " interfaces attached";
}

Result<UniqueFd> metrics_socket(const std::string& address) {
  return address.empty() ? Result<UniqueFd>(UniqueFd()) : listen_on(address);
}

}  // namespace

App::App(const Settings& settings, SettingsLoader load, EventLoop loop, DataPlane data_plane,
         Interfaces interfaces, UniqueFd metrics_socket)
    : settings_(settings),
      build_{XDPFLOWD_VERSION, kernel_release()},
      loop_(std::move(loop)),
      data_plane_(std::move(data_plane)),
      interfaces_(std::move(interfaces)),
      books_(data_plane_.state()),
      metrics_socket_(std::move(metrics_socket)),
      housekeeper_(data_plane_, loop_),
      reload_(settings_, std::move(load), data_plane_.state(), housekeeper_,
              {.serve_metrics_at = [this](const auto& address) { return serve_metrics_at(address); },
               .record_to = [this](const auto& file) { return record_to(file); },
               .follow_interfaces = [this] { return interfaces_.follow(settings_, data_plane_, Retry::all); },
               .apply_targets = [this](const auto& wanted) { return apply_targets(wanted); },
               .apply_health = [this](const auto& wanted) { return news_->apply(wanted); }}) {}

Result<std::unique_ptr<App>> App::start(const Settings& settings, SettingsLoader load) {
  auto loop = EventLoop::create();
  if (!loop) return loop.error();
  if (auto kernel = check_kernel(); !kernel) return kernel.error();
  auto monitor = LinkMonitor::open();
  if (!monitor) return monitor.error();
  Interfaces interfaces(std::move(*monitor));
  for (const auto& warning : settings.warnings) log::warn("{}", warning);
  interfaces.advise(settings);
  // Before anything is attached: a start that is refused changes nothing. If the port is another xdpflowd's,
  // that is said instead.
  auto socket = metrics_socket(settings.metrics.listen);
  if (!socket && !daemon_running(settings.daemon.state_dir)) return socket.error();
  auto data_plane = DataPlane::start(settings, interfaces.chosen(settings), XDPFLOWD_VERSION);
  if (!data_plane) return data_plane.error();
  if (!socket) return socket.error();
  std::unique_ptr<App> app(new App(settings, std::move(load), std::move(*loop), std::move(*data_plane),
                                   std::move(interfaces), std::move(*socket)));
  for (const auto step :
       {&App::open_health, &App::open_rings, &App::forget_former_layout, &App::serve_metrics,
        &App::listen_to_signals, &App::listen_to_links, &App::start_ticking, &App::feed_watchdog})
    if (auto done = (app.get()->*step)(); !done) return done.error();
  if (auto working = app->housekeeper_.start(app->settings_); !working) return working.error();
  if (app->http_) log::info("metrics at http://{}/metrics", settings.metrics.listen);
  app->tick();
  log::info("xdpflowd {} is ready: generation {} under {}", XDPFLOWD_VERSION, app->data_plane_.generation(),
            settings.daemon.state_dir);
  app->notifier_.ready();
  return app;
}

Status App::keep(Result<EventSource> source) {
  if (!source) return source.error();
  sources_.push_back(std::move(*source));
  return ok();
}

Status App::open_rings() {
  auto events = EventReader::open(data_plane_.state(),
                                  [this](const xf_target_event& event) { health_->on_event(event); });
  if (!events) return events.error();
  events_.emplace(std::move(*events));
  if (auto kept = keep(loop_.on_readable(events_->fd(), [this] { events_->drain(); })); !kept) return kept;
  return record_to(settings_.records.file);
}

Status App::open_health() {
  auto health = HealthChecks::open(data_plane_.state(), [this](const auto& change) { news_->tell(change); });
  if (!health) return health.error();
  health_.emplace(std::move(*health));
  news_.emplace(loop_, [this] { return health_->look(); });
  if (auto applied = news_->apply(settings_.health); !applied) return applied;
  auto kept = keep(loop_.on_readable(health_->fd(), [this] {
    if (auto probed = health_->probe_due(); !probed) log::error("{}", probed.error().message);
  }));
  return kept ? apply_targets(settings_) : kept;
}

Status App::apply_targets(const Settings& wanted) {
  if (auto applied = health_->apply(wanted.targets, interfaces_.links()); !applied) return applied;
  return health_->count_each(wanted.metrics.per_target_histograms);
}

/// Its records are written by now.
Status App::forget_former_layout() {
  return data_plane_.forget_former_layout();
}

/// Turning records on goes on without the file until that can be opened; another file in place of one in use
/// is needed now.
Status App::record_to(const std::string& file) {
  if (records_) records_->drain();
  if (records_ && !file.empty()) return records_->move_to(file);
  if (auto written = write_records_enabled(data_plane_.state(), !file.empty()); !written) return written;
  if (file.empty()) {
    if (records_) records_->drain();
    records_source_.reset();
    records_.reset();
    return ok();
  }
  auto records = RecordReader::open(data_plane_.state(), file);
  if (!records) return records.error();
  records_.emplace(std::move(*records));
  auto source = loop_.on_readable(records_->fd(), [this] { records_->drain(); });
  if (!source) return source.error();
  records_source_.emplace(std::move(*source));
  return ok();
}

/// The new address first: if it cannot be had, the old one stays. Where that is in the way itself, as 0.0.0.0
/// is of 127.0.0.1 at the same port, it goes for the moment.
Status App::serve_metrics_at(const std::string& address) {
  auto socket = metrics_socket(address);
  if (!socket && socket.error().code == EADDRINUSE && metrics_socket_) {
    http_.reset();
    metrics_socket_ = UniqueFd();
    socket = metrics_socket(address);
    if (!socket) {
      auto back = metrics_socket(settings_.metrics.listen);
      if (back) metrics_socket_ = std::move(*back);
      const Status served = back ? serve_metrics() : Status(back.error());
      return served ? socket.error() : served;
    }
  }
  if (!socket) return socket.error();
  metrics_socket_ = std::move(*socket);
  if (!metrics_socket_) http_.reset();
  return serve_metrics();
}

Status App::serve_metrics() {
  if (!metrics_socket_) return ok();
  HttpPages pages{landing_page(build_.version), [this] { return metrics_page(); }};
  auto server = HttpServer::serve(loop_.handle(), metrics_socket_, std::move(pages));
  if (!server) return server.error();
  http_.emplace(std::move(*server));
  return ok();
}

Status App::listen_to_signals() {
  const auto stop = [this] {
    log::info("stopping; the data plane stays at work (`xdpflowctl unload` removes it)");
    notifier_.stopping();
    if (records_) records_->drain();  // an unload may follow, and takes with it what is not written
    loop_.stop();
  };
  for (const int signal : {SIGTERM, SIGINT})
    if (auto kept = keep(loop_.on_signal(signal, stop)); !kept) return kept;
  if (auto kept = keep(loop_.on_signal(SIGHUP, [this] { reload(); })); !kept) return kept;
  return keep(loop_.on_signal(SIGUSR1, [this] { reopen_records(); }));
}

Status App::listen_to_links() {
  return keep(loop_.on_readable(interfaces_.fd(), [this] {
    if (auto followed = interfaces_.on_links(settings_, data_plane_); !followed)
      log::error("interfaces: {}", followed.error().message);
    if (auto followed = health_->follow(interfaces_.links()); !followed)
      log::error("targets: {}", followed.error().message);
  }));
}

Status App::start_ticking() {
  return keep(loop_.every(std::chrono::seconds(1), [this] { tick(); }));
}

/// From a turn of the loop, so a loop that is stuck does not say that it lives; nor does a daemon that cannot
/// reach its pinned maps any more, which a restart may mend.
Status App::feed_watchdog() {
  const auto interval = Notifier::alive_interval();
  if (!interval) return ok();
  return keep(loop_.every(*interval, [this] {
    if (healthy_) notifier_.alive();
  }));
}

void App::reload() {
  notifier_.reloading();
  reload_.run();
  notifier_.ready();
}

/// `xdpflowctl unload --force` detaches first. Whatever else takes the pins away leaves the programs, and
/// then a failure makes the service manager start another daemon, which finds room.
void App::give_up() {
  const auto detached = data_plane_.detach_all();
  if (detached && !*detached) {
    log::warn("{} is gone: the data plane was unloaded, nothing is left to do", settings_.daemon.state_dir);
    return loop_.stop();
  }
  log::error("{} is gone, and nobody unloaded the data plane: {}; a new start begins with empty tables",
             settings_.daemon.state_dir, detached ? "the programs are detached" : detached.error().message);
  loop_.stop(1);
}

void App::tick() {
  if (!data_plane_.is_pinned()) return give_up();
  const auto beat = data_plane_.heartbeat();
  healthy_ = static_cast<bool>(beat);
  if (!beat) log::error("heartbeat: {}", beat.error().message);
  balance_books();
  if (records_) records_->drain();
  housekeeper_.tick();
  events_->drain();
  if (auto ticked = health_->tick(); !ticked) log::error("targets: {}", ticked.error().message);
}

void App::balance_books() {
  const auto snapshot = books_.balance();
  if (!snapshot)
    log::error("books: {}", snapshot.error().message);
  else
    notifier_.status(service_status(*snapshot));
}

void App::reopen_records() {
  if (!records_) {
    log::info("SIGUSR1: no records file is configured");
    return;
  }
  records_->drain();
  if (auto reopened = records_->reopen(); !reopened)
    log::error("{}; the old file stays in use", reopened.error().message);
  else
    log::info("{}: reopened", settings_.records.file);
}

Result<std::string> App::metrics_page() {
  const auto snapshot = books_.balance();
  if (!snapshot) return snapshot.error();
  auto targets = health_->look();
  if (!targets) return targets.error();
  auto rtts = health_->round_trips_of_each();
  if (!rtts) return rtts.error();
  const auto& hooks = news_->hook_counters();
  const DaemonFacts facts{
      .targets = std::move(*targets),
      .target_rtts = std::move(*rtts),
      .unwritten_records = records_ ? std::optional(records_->lost()) : std::nullopt,
      .hooks = HookRuns{hooks.ok, hooks.failed, hooks.timeout, hooks.not_started, hooks.superseded}};
  return metrics_text(*snapshot, facts, build_, monotonic_ns());
}

}  // namespace xdpflowd

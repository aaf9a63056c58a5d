// SPDX-License-Identifier: GPL-2.0-or-later
#include "metrics/http_server.h"

#include <fcntl.h>
#include <microhttpd.h>

#include <array>
#include <cstdarg>
#include <cstdio>
#include <string_view>

#include "base/log.h"
#include "metrics/http_clients.h"
#include "metrics/listener.h"

namespace xdpflowd {
namespace {

constexpr size_t request_bytes_max =
    8192;  // read buffer of one connection: request line and headers fit or are refused
constexpr unsigned connections_in_turn =
    32;  // MHD accepts up to 10 at a time before it notices the ones we shut down
constexpr uint64_t timer_accuracy_us = 1000;

constexpr const char* metrics_type = "text/plain; version=0.0.4; charset=utf-8";
constexpr const char* html_type = "text/html; charset=utf-8";
constexpr const char* plain_type = "text/plain; charset=utf-8";

using Response = std::shared_ptr<MHD_Response>;

struct StopDaemon {
  void operator()(MHD_Daemon* daemon) const { MHD_stop_daemon(daemon); }
};

struct EndSource {
  void operator()(sd_event_source* source) const { sd_event_source_disable_unref(source); }
};
using EventSource = std::unique_ptr<sd_event_source, EndSource>;

struct Answer {
  unsigned status = MHD_HTTP_OK;
  Response response;
};

Response make_response(std::string text, const char* content_type) {
  auto body = std::make_unique<std::string>(std::move(text));
  MHD_Response* response = MHD_create_response_from_buffer_with_free_callback_cls(
      body->size(), body->data(), [](void* owned) { delete static_cast<std::string*>(owned); }, body.get());
  if (response == nullptr) return nullptr;
  (void)body.release();  // the response's own from here on
  MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, content_type);
  return {response, &MHD_destroy_response};
}

bool is_readable(std::string_view method) {
  return method == MHD_HTTP_METHOD_GET || method == MHD_HTTP_METHOD_HEAD;
}

Answer method_not_allowed() {
  Answer answer{MHD_HTTP_METHOD_NOT_ALLOWED,
                make_response("405 method not allowed: use GET or HEAD\n", plain_type)};
  if (answer.response) MHD_add_response_header(answer.response.get(), MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
  return answer;
}

void log_of_mhd(void*, const char* format, va_list arguments) {
  std::array<char, 512> line{};
  std::vsnprintf(line.data(), line.size(), format, arguments);
  std::string_view text(line.data());
  if (text.ends_with('\n')) text.remove_suffix(1);
  log::debug("metrics endpoint: {}", text);
}

}  // namespace

class HttpServer::Impl {
 public:
  Impl(HttpPages pages, unsigned connections) : pages_(std::move(pages)), clients_(connections) {}

  Status start(const UniqueFd& socket, unsigned connections, unsigned idle_seconds);
  Status join(sd_event* event);
  uint16_t port() const { return port_; }

 private:
  static MHD_Result on_request(void* self, MHD_Connection* connection, const char* url, const char* method,
                               const char* version, const char* upload, size_t* upload_size, void** request);
  Answer answer(std::string_view url, std::string_view method);
  Answer collect();
  int turn();

  HttpPages pages_;
  HttpClients clients_;
  Answer scrape_;  // shared by all who ask in the same turn: a crowd of clients costs one collection
  uint16_t port_ = 0;
  std::unique_ptr<MHD_Daemon, StopDaemon> daemon_;
  EventSource readable_, timer_;
};

Status HttpServer::Impl::start(const UniqueFd& socket, unsigned connections, unsigned idle_seconds) {
  port_ = local_port(socket);
  const int owned_by_mhd = fcntl(socket.get(), F_DUPFD_CLOEXEC, 0);
  if (owned_by_mhd < 0) return system_error(errno, "duplicating the listening socket of [metrics]");
  daemon_.reset(MHD_start_daemon(
      MHD_USE_EPOLL | MHD_USE_ERROR_LOG, 0, nullptr, nullptr, &Impl::on_request, this,
      MHD_OPTION_EXTERNAL_LOGGER, &log_of_mhd, nullptr, MHD_OPTION_LISTEN_SOCKET, owned_by_mhd,
      MHD_OPTION_CONNECTION_LIMIT, connections + connections_in_turn, MHD_OPTION_CONNECTION_TIMEOUT,
      idle_seconds, MHD_OPTION_CONNECTION_MEMORY_LIMIT, request_bytes_max, MHD_OPTION_STRICT_FOR_CLIENT, 1,
      MHD_OPTION_NOTIFY_CONNECTION, &HttpClients::notify, &clients_, MHD_OPTION_END));
  if (!daemon_)
    return fail("libmicrohttpd could not start the metrics endpoint; log_level \"debug\" says why");
  return ok();
}

Status HttpServer::Impl::join(sd_event* event) {
  const int epoll_fd = MHD_get_daemon_info(daemon_.get(), MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
  const auto on_readable = [](sd_event_source*, int, uint32_t, void* self) {
    return static_cast<Impl*>(self)->turn();
  };
  const auto on_time = [](sd_event_source*, uint64_t, void* self) {
    return static_cast<Impl*>(self)->turn();
  };
  sd_event_source* source = nullptr;
  int error = sd_event_add_io(event, &source, epoll_fd, EPOLLIN, on_readable, this);
  if (error < 0) return system_error(error, "adding the metrics endpoint to the event loop");
  readable_.reset(source);
  error = sd_event_add_time_relative(event, &source, CLOCK_MONOTONIC, 0, timer_accuracy_us, on_time, this);
  if (error < 0) return system_error(error, "adding the metrics endpoint's timer to the event loop");
  timer_.reset(source);
  return ok();
}

/// Lets MHD do what is due, and comes back when it next wants to. Returns 0 or a negative errno, as sd-event
/// expects of its callbacks.
int HttpServer::Impl::turn() {
  MHD_run(daemon_.get());
  scrape_ = {};
  MHD_UNSIGNED_LONG_LONG wait_ms = 0;
  if (MHD_get_timeout(daemon_.get(), &wait_ms) == MHD_NO)
    return sd_event_source_set_enabled(timer_.get(), SD_EVENT_OFF);
  const int error = sd_event_source_set_time_relative(timer_.get(), wait_ms * 1000);
  return error < 0 ? error : sd_event_source_set_enabled(timer_.get(), SD_EVENT_ONESHOT);
}

/// MHD calls once with the headers, for each piece of the body, and once at the end. It closes the connection
/// if it is answered before the end: wanted for uploads, not for Prometheus.
MHD_Result HttpServer::Impl::on_request(void* self, MHD_Connection* connection, const char* url,
                                        const char* method, const char* /*version*/, const char* /*upload*/,
                                        size_t* upload_size, void** request) {
  auto* server = static_cast<Impl*>(self);
  const bool first_call = *request == nullptr;
  *request = self;
  if (first_call) server->clients_.touch(connection);
  if (is_readable(method) && (first_call || *upload_size > 0)) {
    *upload_size = 0;
    return MHD_YES;
  }
  const Answer answer = server->answer(url, method);
  return answer.response ? MHD_queue_response(connection, answer.status, answer.response.get()) : MHD_NO;
}

Answer HttpServer::Impl::answer(std::string_view url, std::string_view method) {
  if (url != "/" && url != "/metrics")
    return {MHD_HTTP_NOT_FOUND, make_response("404 not found: the metrics are at /metrics\n", plain_type)};
  if (!is_readable(method)) return method_not_allowed();
  if (url == "/") return {MHD_HTTP_OK, make_response(pages_.landing, html_type)};
  if (!scrape_.response) scrape_ = collect();
  return scrape_;
}

Answer HttpServer::Impl::collect() {
  auto text = pages_.metrics();
  if (text) return {MHD_HTTP_OK, make_response(std::move(*text), metrics_type)};
  log::error("metrics cannot be collected: {}", text.error().message);
  return {MHD_HTTP_INTERNAL_SERVER_ERROR, make_response("500 " + text.error().message + "\n", plain_type)};
}

Result<HttpServer> HttpServer::serve(sd_event* event, const UniqueFd& socket, HttpPages pages,
                                     const HttpLimits& limits) {
  const unsigned connections = make_room_for_connections(limits.connections);
  auto impl = std::make_unique<Impl>(std::move(pages), connections);
  if (auto started = impl->start(socket, connections, limits.idle_seconds); !started) return started.error();
  if (auto joined = impl->join(event); !joined) return joined.error();
  return HttpServer(std::move(impl));
}

Result<HttpServer> HttpServer::listen(sd_event* event, const std::string& address, HttpPages pages,
                                      const HttpLimits& limits) {
  auto socket = listen_on(address);
  if (!socket) return socket.error();
  return serve(event, *socket, std::move(pages), limits);
}

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpServer::HttpServer(HttpServer&&) noexcept = default;
HttpServer& HttpServer::operator=(HttpServer&&) noexcept = default;
HttpServer::~HttpServer() = default;

uint16_t HttpServer::port() const {
  return impl_->port();
}

}  // namespace xdpflowd

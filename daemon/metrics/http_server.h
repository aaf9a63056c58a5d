// SPDX-License-Identifier: GPL-2.0-or-later
// The HTTP endpoint: /metrics for Prometheus and a landing page for people. It runs on the daemon's event
// loop alone.
#pragma once

#include <systemd/sd-event.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "base/unique_fd.h"

namespace xdpflowd {

struct HttpPages {
  std::string landing;  // HTML of "/"
  std::function<Result<std::string>()>
      metrics;  // text of "/metrics"; an error becomes a 500 and a line in the log
};

struct HttpLimits {
  unsigned connections = 1000;  // one more, and the connection that was quiet for longest is closed for it
  unsigned idle_seconds = 5;    // without a byte from the client
};

class HttpServer {
 public:
  /// On a socket of listen_on(), of which it keeps a duplicate. The event loop must outlive the server.
  static Result<HttpServer> serve(sd_event* event, const UniqueFd& socket, HttpPages pages,
                                  const HttpLimits& limits = {});
  /// The same on `address`: an IP address and a port, as in "127.0.0.1:9742" or "[::1]:9742"; port 0 takes
  /// any.
  static Result<HttpServer> listen(sd_event* event, const std::string& address, HttpPages pages,
                                   const HttpLimits& limits = {});
  HttpServer(HttpServer&&) noexcept;
  HttpServer& operator=(HttpServer&&) noexcept;
  ~HttpServer();

  uint16_t port() const;

 private:
  class Impl;
  explicit HttpServer(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

/// The HTML page at "/".
std::string landing_page(const std::string& version);

}  // namespace xdpflowd

// SPDX-License-Identifier: GPL-2.0-or-later
#include "metrics/http_server.h"

namespace xdpflowd {

std::string landing_page(const std::string& version) {
  return R"(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>xdpflowd</title>
</head>
<body>
<h1>xdpflowd</h1>
<p>Version )" +
         version + R"(. Flow tracking in XDP, with a kernel timer in every flow.</p>
<ul>
<li><a href="/metrics">Metrics</a> for Prometheus</li>
</ul>
<p>On the router itself, <code>xdpflowctl status</code> and <code>xdpflowctl flows</code> show more.</p>
</body>
</html>
)";
}

}  // namespace xdpflowd

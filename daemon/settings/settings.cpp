// SPDX-License-Identifier: GPL-2.0-or-later
#include "settings/settings.h"

#include <sys/sysinfo.h>
#include <unistd.h>

#include <algorithm>

namespace xdpflowd {

Timeouts default_timeouts() {
  using namespace std::chrono_literals;
  Timeouts timeouts{};
  timeouts[XF_TIMEOUT_TCP_SYN_SENT] = 120s;
  timeouts[XF_TIMEOUT_TCP_SYN_RECV] = 60s;
  timeouts[XF_TIMEOUT_TCP_ESTABLISHED] = 5 * 24h;
  timeouts[XF_TIMEOUT_TCP_FIN_WAIT] = 120s;
  timeouts[XF_TIMEOUT_TCP_CLOSE_WAIT] = 60s;
  timeouts[XF_TIMEOUT_TCP_LAST_ACK] = 30s;
  timeouts[XF_TIMEOUT_TCP_TIME_WAIT] = 120s;
  timeouts[XF_TIMEOUT_TCP_CLOSE] = 10s;
  timeouts[XF_TIMEOUT_UDP] = 30s;
  timeouts[XF_TIMEOUT_UDP_STREAM] = 120s;
  timeouts[XF_TIMEOUT_ICMP] = 30s;
  timeouts[XF_TIMEOUT_GENERIC] = 600s;
  return timeouts;
}

uint32_t default_max_flows(uint64_t ram_bytes) {
  constexpr uint64_t bytes_per_flow = 16'384;
  return static_cast<uint32_t>(std::clamp<uint64_t>(ram_bytes / bytes_per_flow, 65'536, 1'000'000));
}

uint64_t installed_ram_bytes() {
  return static_cast<uint64_t>(::sysconf(_SC_PHYS_PAGES)) * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
}

unsigned possible_cpus() {
  return static_cast<unsigned>(::get_nprocs_conf());
}

bool is_pattern(std::string_view name) {
  return name.find_first_of("*?[") != std::string_view::npos;
}

}  // namespace xdpflowd

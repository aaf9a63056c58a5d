// SPDX-License-Identifier: GPL-2.0-or-later
#include "service/ethtool.h"

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cstring>

#include "base/unique_fd.h"

namespace xdpflowd {
namespace {

/// `answer` begins with the command.
bool ask(const std::string& interface, void* answer) {
  const UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  interface.copy(request.ifr_name, sizeof(request.ifr_name) - 1);
  request.ifr_data = static_cast<char*>(answer);
  return socket && ioctl(socket.get(), SIOCETHTOOL, &request) >= 0;
}

}  // namespace

bool rx_vlan_offload(const std::string& interface) {
  ethtool_value flags{};
  flags.cmd = ETHTOOL_GFLAGS;
  return ask(interface, &flags) && (flags.data & ETH_FLAG_RXVLAN) != 0;
}

std::string driver_of(const std::string& interface) {
  ethtool_drvinfo info{};
  info.cmd = ETHTOOL_GDRVINFO;
  if (!ask(interface, &info)) return "";
  return {info.driver, strnlen(info.driver, sizeof info.driver)};
}

}  // namespace xdpflowd

// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/network_namespace.h"

#include <sys/stat.h>

namespace xdpflowd {

uint64_t own_network_namespace() {
  struct stat status {};
  return stat("/proc/thread-self/ns/net", &status) == 0 ? status.st_ino : 0;
}

Status check_network_namespace(const xf_control& control, const std::string& state_dir) {
  const uint64_t own = own_network_namespace();
  if (control.netns == 0 || own == 0 || control.netns == own) return ok();
  return fail("the data plane under " + state_dir + " is attached in another network namespace (inode " +
              std::to_string(control.netns) + ", this one is " + std::to_string(own) + "): run this there");
}

}  // namespace xdpflowd

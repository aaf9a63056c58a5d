// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel_objects.h"

#include <bpf/bpf.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>

namespace xdpflowd::test {

KernelObjects KernelObjects::count() {
  KernelObjects count;
  for (uint32_t id = 0; bpf_prog_get_next_id(id, &id) == 0;) ++count.programs;
  for (uint32_t id = 0; bpf_map_get_next_id(id, &id) == 0;) ++count.maps;
  return count;
}

size_t open_descriptors(pid_t pid) {
  const std::filesystem::directory_iterator all("/proc/" + std::to_string(pid) + "/fd");
  return static_cast<size_t>(std::distance(begin(all), end(all)));
}

size_t slab_kibibytes() {
  std::ifstream memory("/proc/meminfo");
  for (std::string word; memory >> word;) {
    size_t kibibytes = 0;
    if (word == "SUnreclaim:" && memory >> kibibytes) return kibibytes;
  }
  throw std::runtime_error("/proc/meminfo does not tell SUnreclaim");
}

}  // namespace xdpflowd::test

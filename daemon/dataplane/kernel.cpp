// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/kernel.h"

#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

namespace xdpflowd {
namespace {

constexpr std::array<std::pair<unsigned, const char*>, 5> needed_helpers{{
    {BPF_FUNC_timer_init, "bpf_timer (5.15)"},
    {BPF_FUNC_ktime_get_coarse_ns, "bpf_ktime_get_coarse_ns (5.11)"},
    {BPF_FUNC_loop, "bpf_loop (5.17)"},
    {BPF_FUNC_xdp_get_buff_len, "bpf_xdp_get_buff_len (5.18)"},
    {BPF_FUNC_xdp_load_bytes, "bpf_xdp_load_bytes (5.18)"},
}};

constexpr std::array<std::pair<unsigned, const char*>, 3> needed_capabilities{{
    {CAP_BPF, "CAP_BPF"},
    {CAP_NET_ADMIN, "CAP_NET_ADMIN"},
    {CAP_PERFMON, "CAP_PERFMON"},
}};

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

bool has_capability(uint64_t effective, unsigned capability) {
  return (effective >> capability & 1) != 0;
}

uint64_t effective_capabilities() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3]{};
  if (syscall(SYS_capget, &header, data) != 0) return 0;
  return static_cast<uint64_t>(data[1].effective) << 32 | data[0].effective;
}

bool kernel_has_helper(unsigned helper) {
  return libbpf_probe_bpf_helper(BPF_PROG_TYPE_XDP, static_cast<bpf_func_id>(helper), nullptr) == 1;
}

}  // namespace

std::string missing_capabilities(uint64_t effective) {
  std::vector<std::string> missing;
  for (const auto& [capability, name] : needed_capabilities)
    // CAP_SYS_ADMIN stands in for the two that were split from it in 5.8.
    if (!has_capability(effective, capability) &&
        (capability == CAP_NET_ADMIN || !has_capability(effective, CAP_SYS_ADMIN)))
      missing.emplace_back(name);
  return joined(missing);
}

std::vector<std::string> missing_helpers(const std::function<bool(unsigned)>& has) {
  std::vector<std::string> missing;
  for (const auto& [helper, name] : needed_helpers)
    if (!has(helper)) missing.emplace_back(name);
  return missing;
}

Result<KernelFeatures> check_kernel() {
  const auto effective = effective_capabilities();
  if (const auto missing = missing_capabilities(effective); !missing.empty())
    return fail("must run as root, or with CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON (missing here: " + missing +
                ")");
  utsname names{};
  uname(&names);
  if (const auto missing = missing_helpers(kernel_has_helper); !missing.empty())
    return fail(std::string("kernel ") + names.release + " is too old: 6.1 or later is needed; it lacks " +
                joined(missing));
  return KernelFeatures{names.release, access("/sys/kernel/btf/vmlinux", R_OK) == 0,
                        has_capability(effective, CAP_SYS_ADMIN)};
}

}  // namespace xdpflowd

// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/kernel.h"

#include <bpf/btf.h>
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

bool has_btf() {
  return access("/sys/kernel/btf/vmlinux", R_OK) == 0;
}

bool counts_quickly() {
  btf* types = has_btf() ? btf__load_vmlinux_btf() : nullptr;
  const bool found = types && btf__find_by_name_kind(types, "bpf_map_sum_elem_count", BTF_KIND_FUNC) > 0;
  btf__free(types);
  return found;
}

bool has_dispatcher() {
  return libbpf_probe_bpf_prog_type(BPF_PROG_TYPE_EXT, nullptr) == 1;
}

bool has_needed_maps() {
  for (const auto type :
       {BPF_MAP_TYPE_LRU_HASH, BPF_MAP_TYPE_ARRAY_OF_MAPS, BPF_MAP_TYPE_QUEUE, BPF_MAP_TYPE_RINGBUF})
    if (libbpf_probe_bpf_map_type(type, nullptr) != 1) return false;
  return true;
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
  if (const auto missing = missing_helpers(kernel_has_helper); !missing.empty())
    return fail("kernel " + kernel_release() + " is too old: 6.1 or later is needed; it lacks " +
                joined(missing));
  return KernelFeatures{kernel_release(), has_btf(), has_capability(effective, CAP_SYS_ADMIN)};
}

std::string features_line() {
  std::vector<std::string> names;
  for (const auto& feature : kernel_features())
    if (feature.available.value_or(false)) names.push_back(feature.name);
  return "kernel " + kernel_release() + ": " +
         (names.empty() ? "nothing found out; ask as root" : joined(names));
}

std::string kernel_release() {
  utsname names{};
  return uname(&names) == 0 ? names.release : "unknown";
}

std::vector<Feature> kernel_features() {
  const bool may_ask = missing_capabilities(effective_capabilities()).empty();
  const auto asked = [&](bool (*probe)()) { return may_ask ? std::optional(probe()) : std::nullopt; };
  return {
      {"needed_helpers", asked([] { return missing_helpers(kernel_has_helper).empty(); }),
       "bpf_timer, bpf_loop and others, without which xdpflowd does not start: Linux 6.1"},
      {"needed_maps", asked(has_needed_maps), "LRU hash, array of maps, queue, ring buffer: needed too"},
      {"btf", has_btf(), "types of the kernel (/sys/kernel/btf/vmlinux); flows are tracked without them"},
      {"quick_count", counts_quickly(),
       "bpf_map_sum_elem_count (6.6): without it tables are counted by a walk once a minute"},
      {"dispatcher", asked(has_dispatcher),
       "freplace programs for libxdp's dispatcher: without them an interface has room for one XDP program"}};
}

}  // namespace xdpflowd

// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/table_maker.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>

#include <cerrno>

#include "dataplane/plan.h"

namespace xdpflowd {
namespace {

const char* config_key(xf_table table) {
  return table == XF_TABLE_HALF_OPEN ? "max_half_open" : "max_flows";
}

Error cannot_make(int code, const std::string& zone, xf_table table, uint32_t size) {
  const auto key = "[zone." + zone + "] " + config_key(table) + " = " + std::to_string(size);
  if (code != ENOMEM && code != E2BIG) return system_error(code, key + ": cannot make the flow table");
  Error error = fail(key + ": the kernel has no memory for it (needs about " +
                     readable_bytes(flow_table_bytes(size)) + "): lower it");
  error.code = code;
  return error;
}

}  // namespace

const char* table_name(xf_table table) {
  return table == XF_TABLE_HALF_OPEN ? "half_open" : "established";
}

Result<FlowTypes> flow_types(const bpf_object* owner) {
  const btf* types = bpf_object__btf(owner);
  const int key = btf__find_by_name_kind(types, "xf_flow_key", BTF_KIND_STRUCT);
  const int value = btf__find_by_name_kind(types, "xf_flow", BTF_KIND_STRUCT);
  UniqueFd fd(fcntl(bpf_object__btf_fd(owner), F_DUPFD_CLOEXEC, 0));
  if (key < 0 || value < 0 || !fd) return fail("the embedded admin object has no type information for flows");
  return FlowTypes{std::move(fd), static_cast<uint32_t>(key), static_cast<uint32_t>(value)};
}

Result<FlowTable> make_table(const FlowTypes& types, const std::string& zone, xf_table table, uint32_t size,
                             const std::string& pin) {
  bpf_map_create_opts options{};
  options.sz = sizeof options;
  options.btf_fd = static_cast<__u32>(types.btf.get());
  options.btf_key_type_id = types.key;
  options.btf_value_type_id = types.value;
  const UniqueFd made(bpf_map_create(BPF_MAP_TYPE_LRU_HASH, table_name(table), sizeof(xf_flow_key),
                                     sizeof(xf_flow), size, &options));
  if (!made) return cannot_make(errno, zone, table, size);
  if (bpf_obj_pin(made.get(), pin.c_str()) != 0) return system_error(errno, "cannot pin " + pin);
  return FlowTable::of_fd(made.get(), pin, BPF_MAP_TYPE_LRU_HASH);
}

}  // namespace xdpflowd

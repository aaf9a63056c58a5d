// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/table_swap.h"

#include <bpf/bpf.h>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "base/unique_fd.h"
#include "dataplane/map_view.h"
#include "dataplane/pin_paths.h"

namespace xdpflowd {
namespace {

/// 0: there is none.
uint32_t pinned_id(const std::string& pin) {
  return map_id_of(UniqueFd(bpf_obj_get(pin.c_str())).get());
}

Status put_in(int array, uint32_t index, int table, const std::string& what) {
  if (bpf_map_update_elem(array, &index, &table, BPF_ANY) == 0) return ok();
  return system_error(errno, "cannot put " + what + " in place");
}

Status take_out(int array, uint32_t index, const std::string& what) {
  if (bpf_map_delete_elem(array, &index) == 0 || errno == ENOENT) return ok();
  return system_error(errno, "cannot let go of " + what);
}

Status exchange_pins(const TablePlace& place) {
  if (renameat2(AT_FDCWD, place.pin.c_str(), AT_FDCWD, place.former_pin.c_str(), RENAME_EXCHANGE) == 0)
    return ok();
  return system_error(errno, "cannot exchange " + place.pin + " and " + place.former_pin);
}

Status unpin(const std::string& pin) {
  if (unlink(pin.c_str()) == 0 || errno == ENOENT) return ok();
  return system_error(errno, "cannot remove " + pin);
}

}  // namespace

TablePlace place_of(int tables, int former_tables, const std::string& state_dir, const std::string& zone,
                    uint32_t zone_index, xf_table table) {
  return {.tables = tables,
          .former_tables = former_tables,
          .index = zone_index * XF_TABLES + table,
          .pin = table_pin(state_dir, zone, table),
          .former_pin = former_table_pin(state_dir, zone, table)};
}

uint32_t table_id_in(int array, uint32_t index) {
  uint32_t id = 0;
  return bpf_map_lookup_elem(array, &index, &id) == 0 ? id : 0;
}

Status put_in_place(const TablePlace& place, int table) {
  return put_in(place.tables, place.index, table, place.pin);
}

Status swap_tables(const TablePlace& place) {
  const UniqueFd old_table(bpf_obj_get(place.pin.c_str())), new_table(bpf_obj_get(place.former_pin.c_str()));
  if (!old_table || !new_table) return system_error(errno, "cannot open both tables at " + place.pin);
  // In this order no packet ever misses a flow that is in either. Each step waits until no packet still uses
  // what was there.
  if (auto put = put_in(place.former_tables, place.index, old_table.get(), place.former_pin); !put)
    return put;
  if (auto put = put_in_place(place, new_table.get()); !put) return put;
  return exchange_pins(place);
}

Status drop_former(const TablePlace& place) {
  if (auto taken = take_out(place.former_tables, place.index, place.former_pin); !taken) return taken;
  return unpin(place.former_pin);
}

Status settle_swap(const TablePlace& place) {
  const uint32_t in_use = table_id_in(place.tables, place.index);
  const uint32_t former = table_id_in(place.former_tables, place.index);
  uint32_t waiting = pinned_id(place.former_pin);
  if (waiting != 0 && waiting == in_use) {
    waiting = pinned_id(place.pin);
    if (auto exchanged = exchange_pins(place); !exchanged) return exchanged;
  }
  if (waiting != 0 && waiting == former) return ok();
  return drop_former(place);
}

}  // namespace xdpflowd

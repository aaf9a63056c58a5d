// SPDX-License-Identifier: GPL-2.0-or-later
// Another flow table in the place of one that is in use. Killed at any step, settle_swap() puts it right.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "xdpflow/abi.h"

namespace xdpflowd {

/// Where one table of a zone is.
struct TablePlace {
  int tables;  // descriptors of the two arrays of maps, borrowed
  int former_tables;
  uint32_t index;  // in both
  std::string pin;
  std::string former_pin;
};

TablePlace place_of(int tables, int former_tables, const std::string& state_dir, const std::string& zone,
                    uint32_t zone_index, xf_table table);

/// Of the table at `index` of an array of tables; 0 if there is none.
uint32_t table_id_in(int array, uint32_t index);

/// What packets use from now on. Waits until none uses what was there, some 10 ms, also where that is the
/// same.
Status put_in_place(const TablePlace& place, int table);

/// The table pinned at `former_pin`, empty, takes the place of the one at `pin`; then they change pins. What
/// packets miss in the new one they find in the former one.
Status swap_tables(const TablePlace& place);

/// After the last flow has moved out: the kernel frees it.
Status drop_former(const TablePlace& place);

/// Pins and arrays agree again after a swap or a drop that was cut short. Nothing is lost: a table that is in
/// neither array never held a flow, or holds none any more.
Status settle_swap(const TablePlace& place);

}  // namespace xdpflowd

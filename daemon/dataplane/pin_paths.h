// SPDX-License-Identifier: GPL-2.0-or-later
// Where everything is pinned under state_dir.
#pragma once

#include <string>

#include "xdpflow/abi.h"

namespace xdpflowd {

/// `name` as in bpf/maps.h.
inline std::string map_pin(const std::string& state_dir, const std::string& name) {
  return state_dir + "/" + name;
}

inline std::string programs_dir(const std::string& state_dir) {
  return state_dir + "/programs";
}

/// `name`: xdpflow, admin, probe or census.
inline std::string program_pin(const std::string& state_dir, const std::string& name) {
  return programs_dir(state_dir) + "/" + name;
}

/// One folder of flow tables per zone. Not called `zones`: that is the pin of a map.
inline std::string zones_dir(const std::string& state_dir) {
  return state_dir + "/flows";
}

inline std::string zone_dir(const std::string& state_dir, const std::string& zone) {
  return zones_dir(state_dir) + "/" + zone;
}

inline std::string table_pin(const std::string& state_dir, const std::string& zone, xf_table table) {
  return zone_dir(state_dir, zone) + (table == XF_TABLE_HALF_OPEN ? "/half_open" : "/established");
}

/// The table that a resize has replaced, or is about to put in place.
inline std::string former_table_pin(const std::string& state_dir, const std::string& zone, xf_table table) {
  return table_pin(state_dir, zone, table) + "_former";
}

/// What a data plane of another layout had pinned under state_dir, while its flows are carried over.
inline std::string former_layout_dir(const std::string& state_dir) {
  return state_dir + "/former_layout";
}

}  // namespace xdpflowd

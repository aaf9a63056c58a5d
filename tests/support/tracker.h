// SPDX-License-Identifier: GPL-2.0-or-later
// The packet program in the kernel, attached nowhere: packets go in by BPF_PROG_RUN, tables and counters are
// read back.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "dataplane/event_ring.h"
#include "settings/settings.h"
#include "support/packet_builder.h"
#include "xdpflow/abi.h"

// The skeletons name types of the contract without including it.
#include "admin.skel.h"
#include "carry.skel.h"
#include "census.skel.h"
#include "xdpflow.skel.h"

namespace xdpflowd::test {

/// For what must happen, some time.
inline constexpr auto wide = std::chrono::seconds(10);

struct TrackerOptions {
  uint32_t max_flows = 4096;
  uint32_t max_half_open = 4096;
  uint32_t promote_packets = 16;
  unsigned zones = 1;
  Timeouts timeouts = default_timeouts();
  bool records = true;
  uint32_t ended_queue = 65'536;
  uint32_t orphan_queue = 0;                 // 0: as large as all tables
  uint32_t records_ring = 16 * 1024 * 1024;  // bytes
  bool reaper = true;                        // false: nobody started it
  /// Load-time constants of both programs.
  std::function<void(xdpflow_bpf*)> knobs = [](xdpflow_bpf*) {};
};

struct Entry {
  xf_flow_key key;
  xf_flow flow;

  xf_state state() const { return static_cast<xf_state>(flow.status.state); }
  bool has(xf_flow_flag flag) const { return (flow.status.flags & flag) != 0; }
};

template <class T>
using Skeleton = std::unique_ptr<T, void (*)(T*)>;

/// Throws std::runtime_error where the kernel refuses: a test that cannot be set up fails.
class Tracker {
 public:
  explicit Tracker(const TrackerOptions& options = {});

  /// The verdict (enum xdp_action) on a frame that arrived on the loopback device of this namespace.
  uint32_t run(const Bytes& frame) const;
  uint32_t run(const Packet& packet) const { return run(packet.frame()); }
  void run(const std::vector<Packet>& packets) const;
  void run(const std::vector<Bytes>& frames) const;
  /// The same frame `count` times in one go; nanoseconds per run.
  double repeat(const Bytes& frame, uint32_t count) const;

  /// Live ones. At rest: while entries come and go the walk may begin again and again.
  std::vector<Entry> entries(xf_table table, unsigned zone = 0) const {
    return some_entries(table, SIZE_MAX, zone);
  }
  /// As many at most.
  std::vector<Entry> some_entries(xf_table table, size_t limit, unsigned zone = 0) const;
  /// The only live flow of the zone, wherever it is; throws if there is none or more than one.
  Entry the_flow(unsigned zone = 0) const;
  size_t live(xf_table table, unsigned zone = 0) const;
  /// The kernel's own number of elements, ended ones included.
  uint64_t counted(xf_table table, unsigned zone = 0) const;
  /// What the books of the table say was evicted; exact at rest.
  int64_t evicted(xf_table table, unsigned zone = 0) const;
  /// Waits until both tables are empty; false if they are not within `timeout`.
  bool empties(std::chrono::milliseconds timeout = std::chrono::seconds(10), unsigned zone = 0) const;

  xf_interface_stats interface_stats() const;
  xf_zone_stats zone_stats(unsigned zone = 0) const;
  xf_global_stats global_stats() const;
  /// Flows of both tables that ended, for whatever reason.
  uint64_t ended(unsigned zone = 0) const;
  xf_histogram histogram(xf_histogram_index index) const;
  xf_reaper reaper() const;
  std::vector<xf_record> records() const;
  std::vector<xf_event> events() const;

  void set_timeouts(const Timeouts& timeouts) const;
  void set_control(const std::function<void(xf_control&)>& change) const;
  void add_rule(uint16_t vlan, uint8_t zone, bool has_vlans) const;
  void drop_rules() const;
  uint32_t flush(xf_table table, const std::vector<xf_flow_key>& keys) const;
  uint32_t rearm(xf_table table, const std::vector<xf_flow_key>& keys) const;
  uint32_t move(xf_table table, const std::vector<xf_flow_key>& keys) const;
  /// Flows of a former layout come in; those that found no place.
  uint32_t adopt(xf_table table, const std::vector<xf_adopted>& flows) const;
  void add(const std::vector<xf_addend>& rows) const;
  void start_reaper() const;
  /// As the daemon does at its start; false where the kernel cannot tell whether a table is full.
  bool watch_crowds() const;
  /// Puts an empty table of that size in place; the one before becomes the former one.
  void resize(xf_table table, uint32_t size, unsigned zone = 0);
  /// Whether packets find the former table, as long as it is there.
  void show_former(xf_table table, bool shown, unsigned zone = 0) const;
  /// After the last flow has moved out.
  void drop_former(xf_table table, unsigned zone = 0);
  /// Elements of the former table, whatever their phase.
  size_t former_size(xf_table table, unsigned zone = 0) const;
  /// Live ones in the former table.
  std::vector<Entry> former_entries(xf_table table, unsigned zone = 0) const;
  /// Gives up the references of user space to the flow tables: no timer can be had in them (-EPERM).
  void let_go_of_tables();
  /// Takes the references again.
  void hold_tables();

  int program() const;
  /// Owns the maps.
  const bpf_object* maps() const { return admin_->obj; }
  int table(xf_table table, unsigned zone = 0) const;
  const xdpflow_bpf& skeleton() const { return *xdpflow_; }

 private:
  void load(const TrackerOptions& options);
  void make_tables(const TrackerOptions& options);
  /// Loaded when somebody counts: libbpf reads all of the kernel's types for it. nullptr where the kernel
  /// cannot count.
  const census_bpf* census() const;
  /// Loaded when it is asked for first: it takes as long as the packet program.
  int carry_program() const;
  UniqueFd make_table(uint32_t size) const;
  template <class Value>
  Value per_cpu_sum(int map, uint32_t key) const;
  template <class Record>
  std::vector<Record> drain(bpf_map* map) const;

  Skeleton<admin_bpf> admin_{nullptr, admin_bpf__destroy};
  mutable Skeleton<carry_bpf> carry_{nullptr, carry_bpf__destroy};
  mutable Skeleton<census_bpf> census_{nullptr, census_bpf__destroy};
  mutable bool asked_for_census_ = false;
  Skeleton<xdpflow_bpf> xdpflow_{nullptr, xdpflow_bpf__destroy};
  std::vector<UniqueFd> tables_;  // zone * XF_TABLES + table
  std::vector<uint32_t> table_ids_;
  std::vector<UniqueFd> former_;  // as tables_; empty where there is none
};

/// The default timeouts with one replaced.
Timeouts with_timeout(xf_timeout which, std::chrono::nanoseconds value, Timeouts base = default_timeouts());
/// The same for all.
Timeouts all_timeouts(std::chrono::nanoseconds value);

}  // namespace xdpflowd::test

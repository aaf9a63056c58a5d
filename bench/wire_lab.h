// SPDX-License-Identifier: GPL-2.0-or-later
// A client, a router and a server; what stands in a packet's way on the router is switched while all that
// track flows keep them. Throws std::runtime_error.
#pragma once

#include <cstdint>
#include <string>

#include "live_frames.h"
#include "lru_floor.h"
#include "router_daemon.h"
#include "support/netns.h"

namespace xdpflowd::bench {

enum class Xdp { none, empty, floor, xdpflowd };
enum class Conntrack { off, on, flowtable };

struct Setting {
  std::string name;
  Xdp xdp = Xdp::none;
  Conntrack conntrack = Conntrack::off;
};

class WireLab {
 public:
  /// With room for so many flows and a quarter more.
  explicit WireLab(uint32_t flows);

  /// "" if this machine has it, else why not.
  std::string lacks(Conntrack conntrack) const;
  void use(const Setting& setting);
  /// Flows that xdpflowd, and nf_conntrack if it is there, know from both directions.
  void fill(uint32_t first, uint32_t count);
  /// Packets per second from the client to the server through what is in use.
  double rate(uint32_t flows, uint32_t fresh_every, int slices);
  /// What tracks flows forgets those that came by `fresh_every`.
  void forget_fresh(uint32_t flows);
  void check_timers() const { daemon_.check_timers(); }

 private:
  Device client() const;
  Device server() const;
  void prepare_router() const;
  void use(Xdp xdp);
  void use(Conntrack conntrack);
  int program(Xdp xdp, const UniqueFd& ours) const;
  void establish(uint32_t first, uint32_t count);
  void send_each(const Device& from, const test::Packet& packet, uint32_t first, uint32_t count);

  LiveFrames live_;
  LruFloor floor_;
  test::Lab lab_{{.static_neighbours = true}};
  RouterDaemon daemon_;
  Setting in_use_;
  const bool has_conntrack_;
};

}  // namespace xdpflowd::bench

// SPDX-License-Identifier: GPL-2.0-or-later
// Makes flows in a running data plane: established TCP connections, packet by packet through the pinned
// program.
//
// usage: fill_flows STATE_DIR INTERFACE COUNT
#include <bpf/bpf.h>
#include <net/if.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "base/unique_fd.h"
#include "support/packet_builder.h"
#include "support/timers.h"

namespace xdpflowd::test {
namespace {

/// A frame as if it had arrived on `ifindex`.
bool inject(int program, unsigned ifindex, const Packet& packet) {
  const Bytes frame = packet.frame();
  xdp_md context{};
  context.data_end = static_cast<__u32>(frame.size());
  context.ingress_ifindex = ifindex;
  LIBBPF_OPTS(bpf_test_run_opts, opts);
  opts.data_in = frame.data();
  opts.data_size_in = static_cast<__u32>(frame.size());
  opts.ctx_in = &context;
  opts.ctx_size_in = sizeof context;
  return bpf_prog_test_run_opts(program, &opts) == 0;
}

std::string address(uint32_t number) {
  return "10." + std::to_string(number >> 16 & 255) + "." + std::to_string(number >> 8 & 255) + "." +
         std::to_string(number & 255);
}

bool connect(int program, unsigned ifindex, uint32_t number) {
  const Packet packet = tcp().from(address(number), 40000).to("198.51.100.1", 443);
  return inject(program, ifindex, Packet(packet).syn().seq(100)) &&
         inject(program, ifindex, packet.reversed().syn().ack_number(101).seq(500)) &&
         inject(program, ifindex, Packet(packet).seq(101).ack_number(501));
}

int fill(const char* state_dir, const char* interface, uint32_t count) {
  if (auto primed = prime_timers(2UL * count); !primed) {
    std::fprintf(stderr, "fill_flows: %s\n", primed.error().message.c_str());
    return 1;
  }
  const std::string pin = std::string(state_dir) + "/programs/xdpflow";
  const UniqueFd program(bpf_obj_get(pin.c_str()));
  const unsigned ifindex = if_nametoindex(interface);
  for (uint32_t number = 0; number < count; number++)
    if (!connect(program.get(), ifindex, number)) {
      std::fprintf(stderr, "fill_flows: %s on %s: %s\n", pin.c_str(), interface, std::strerror(errno));
      return 1;
    }
  std::printf("%u connections established\n", count);
  return 0;
}

}  // namespace
}  // namespace xdpflowd::test

int main(int argc, char** argv) {
  if (argc == 4) return xdpflowd::test::fill(argv[1], argv[2], static_cast<uint32_t>(std::atoi(argv[3])));
  std::fprintf(stderr, "usage: fill_flows STATE_DIR INTERFACE COUNT\n");
  return 2;
}

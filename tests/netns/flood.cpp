// SPDX-License-Identifier: GPL-2.0-or-later
// Sends packets of as many flows as it is told to, as fast as it can: one each, from addresses
// below 10.0.0.0/8. usage: netns_flood DEVICE MAC ADDRESS PORT FIRST COUNT syn|udp
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ether.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

#include "base/unique_fd.h"

namespace xdpflowd::test {
namespace {

constexpr size_t batch = 64;

struct Frame {
  ether_header ethernet;
  iphdr ip;
  union {
    tcphdr tcp;
    udphdr udp;
  };
} __attribute__((packed));

/// The sum of RFC 1071, folded and inverted at the end.
uint32_t add_words(uint32_t sum, const void* bytes, size_t size) {
  for (size_t i = 0; i < size; i += 2) {
    uint16_t word = 0;
    std::memcpy(&word, static_cast<const char*>(bytes) + i, sizeof word);
    sum += word;
  }
  return sum;
}

uint16_t folded(uint32_t sum) {
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(~sum);
}

struct Target {
  ether_addr mac{};
  in_addr address{};
  uint16_t port = 0;
  bool tcp = true;
};

size_t transport_size(const Target& target) {
  return target.tcp ? sizeof(tcphdr) : sizeof(udphdr);
}

void fill_transport(Frame& frame, const Target& target, uint16_t source_port) {
  if (target.tcp) {
    frame.tcp = {};
    frame.tcp.source = htons(source_port);
    frame.tcp.dest = htons(target.port);
    frame.tcp.seq = htonl(source_port * 65537U);
    frame.tcp.doff = sizeof(tcphdr) / 4;
    frame.tcp.syn = 1;
    frame.tcp.window = htons(65535);
  } else {
    frame.udp = {};
    frame.udp.source = htons(source_port);
    frame.udp.dest = htons(target.port);
    frame.udp.len = htons(sizeof(udphdr));
  }
  uint32_t sum = add_words(0, &frame.ip.saddr, 8);
  sum += htons(frame.ip.protocol) + htons(static_cast<uint16_t>(transport_size(target)));
  (target.tcp ? frame.tcp.check : frame.udp.check) =
      folded(add_words(sum, &frame.tcp, transport_size(target)));
}

/// Flow `number`: an odd factor visits every address of the /8 once before any comes again.
void fill(Frame& frame, const Target& target, uint32_t number) {
  std::memcpy(frame.ethernet.ether_dhost, &target.mac, sizeof target.mac);
  frame.ethernet.ether_type = htons(ETHERTYPE_IP);
  const uint32_t spread = number * 2654435761U;
  frame.ip = {};
  frame.ip.version = 4;
  frame.ip.ihl = 5;
  frame.ip.ttl = 64;
  frame.ip.protocol = target.tcp ? IPPROTO_TCP : IPPROTO_UDP;
  frame.ip.tot_len = htons(static_cast<uint16_t>(sizeof(iphdr) + transport_size(target)));
  frame.ip.saddr = htonl(0x0a000000U | (spread & 0xffffffU));
  frame.ip.daddr = target.address.s_addr;
  frame.ip.check = folded(add_words(0, &frame.ip, sizeof frame.ip));
  fill_transport(frame, target, static_cast<uint16_t>(1024 + spread % 60000));
}

bool send_batch(int socket, std::span<Frame> frames, size_t size) {
  std::array<iovec, batch> parts{};
  std::array<mmsghdr, batch> messages{};
  for (size_t i = 0; i < frames.size(); ++i) {
    parts[i] = {&frames[i], size};
    messages[i].msg_hdr.msg_iov = &parts[i];
    messages[i].msg_hdr.msg_iovlen = 1;
  }
  for (size_t sent = 0; sent < frames.size();) {
    const int more = sendmmsg(socket, messages.data() + sent, static_cast<unsigned>(frames.size() - sent), 0);
    if (more < 0 && errno != ENOBUFS && errno != EINTR) return false;
    sent += more < 0 ? 0 : static_cast<size_t>(more);
  }
  return true;
}

int flood(int socket, const Target& target, uint32_t first, uint32_t count) {
  std::vector<Frame> frames(batch);
  const size_t size = sizeof(ether_header) + sizeof(iphdr) + transport_size(target);
  for (uint32_t done = 0; done < count; done += batch) {
    const size_t now = std::min<size_t>(batch, count - done);
    for (size_t i = 0; i < now; ++i) fill(frames[i], target, first + done + static_cast<uint32_t>(i));
    if (!send_batch(socket, std::span(frames).first(now), size)) return errno;
  }
  return 0;
}

UniqueFd open_device(const char* device) {
  UniqueFd opened(socket(AF_PACKET, SOCK_RAW, 0));
  sockaddr_ll local{};
  local.sll_family = AF_PACKET;
  local.sll_ifindex = static_cast<int>(if_nametoindex(device));
  if (bind(opened.get(), reinterpret_cast<sockaddr*>(&local), sizeof local) != 0) return UniqueFd();
  return opened;
}

int run(std::span<char*> words) {
  if (words.size() != 8) {
    std::fputs("usage: netns_flood DEVICE MAC ADDRESS PORT FIRST COUNT syn|udp\n", stderr);
    return 2;
  }
  Target target;
  target.port = static_cast<uint16_t>(std::atoi(words[4]));
  target.tcp = std::string_view(words[7]) == "syn";
  const UniqueFd device = open_device(words[1]);
  if (!device || ether_aton_r(words[2], &target.mac) == nullptr ||
      inet_pton(AF_INET, words[3], &target.address) != 1) {
    std::perror("netns_flood");
    return 1;
  }
  const int failed = flood(device.get(), target, static_cast<uint32_t>(std::strtoul(words[5], nullptr, 10)),
                           static_cast<uint32_t>(std::strtoul(words[6], nullptr, 10)));
  if (failed != 0) std::fprintf(stderr, "netns_flood: %s\n", std::strerror(failed));
  return failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace xdpflowd::test

int main(int argc, char** argv) {
  return xdpflowd::test::run({argv, static_cast<size_t>(argc)});
}

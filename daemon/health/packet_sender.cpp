// SPDX-License-Identifier: GPL-2.0-or-later
#include "health/packet_sender.h"

#include <linux/if_packet.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

namespace xdpflowd {
namespace {

struct Batch {
  std::array<sockaddr_ll, XF_PROBE_BATCH> addresses{};
  std::array<iovec, XF_PROBE_BATCH> parts{};
  std::array<mmsghdr, XF_PROBE_BATCH> messages{};

  void put(size_t place, xf_probe_frame& frame) {
    addresses[place].sll_family = AF_PACKET;
    addresses[place].sll_ifindex = static_cast<int>(frame.ifindex);
    parts[place] = {frame.bytes, frame.length};
    msghdr& header = messages[place].msg_hdr;
    header.msg_name = &addresses[place];
    header.msg_namelen = sizeof addresses[place];
    header.msg_iov = &parts[place];
    header.msg_iovlen = 1;
  }
};

/// A device that is down or gone says something about the target; a full queue does not.
xf_cause cause_of(int code) {
  return code == ENETDOWN || code == ENXIO || code == ENODEV ? XF_CAUSE_LINK_DOWN : XF_CAUSE_NOT_SENT;
}

}  // namespace

Status PacketSender::open() {
  if (socket_) return ok();
  // Protocol 0: it receives nothing.
  socket_ = UniqueFd(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
  return socket_ ? ok()
                 : system_error(errno,
                                "targets cannot be probed without a packet socket, which needs CAP_NET_RAW");
}

void PacketSender::send(std::span<xf_probe_frame* const> frames) const {
  Batch batch;
  for (size_t i = 0; i < frames.size(); ++i) batch.put(i, *frames[i]);
  for (size_t sent = 0; sent < frames.size();) {
    const int count = sendmmsg(socket_.get(), &batch.messages[sent],
                               static_cast<unsigned>(frames.size() - sent), MSG_DONTWAIT);
    if (count > 0) {
      sent += static_cast<size_t>(count);
    } else if (errno != EINTR) {
      frames[sent]->outcome = cause_of(errno);
      ++sent;
    }
  }
}

}  // namespace xdpflowd

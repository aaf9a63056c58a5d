// SPDX-License-Identifier: GPL-2.0-or-later
#include "flood_peers.h"

#include <arpa/inet.h>

#include <fstream>
#include <regex>
#include <sstream>

#include "lru_floor.h"
#include "router_daemon.h"
#include "sessions.h"

namespace xdpflowd::bench {
namespace {

using test::Lab;

/// Half of the table is for flows that have not proved themselves.
class Xdpflowd : public FloodPeer {
 public:
  Xdpflowd(const Lab& lab, const LiveFrames&, uint32_t size) : daemon_(lab.router, {size / 2, size / 2}) {}

  BytesOf bytes(const std::vector<uint16_t>&) const override {
    BytesOf found;
    for (const auto& flow :
         daemon_.flows({"--table", "established", "--port", std::to_string(Sessions::port)}))
      found[flow.at("source_port")] = flow.at("bytes_forward");
    return found;
  }
  void check() const override { daemon_.check_timers(); }

 private:
  RouterDaemon daemon_;
};

class OneTable : public FloodPeer {
 public:
  OneTable(const Lab& lab, const LiveFrames&, uint32_t size) : floor_(size) {
    for (const char* device : {"lan0", "wan0"}) attach_xdp({lab.router, device}, floor_.program());
  }

  BytesOf bytes(const std::vector<uint16_t>& clients) const override {
    BytesOf found;
    for (const uint16_t client : clients)
      if (const uint64_t bytes = floor_.bytes(key_of(client))) found[client] = bytes;
    return found;
  }

 private:
  static xf_flow_key key_of(uint16_t client) {
    xf_flow_key key{};
    key.low.word[2] = key.high.word[2] = htonl(0xffff);
    inet_pton(AF_INET, Lab::client4, &key.low.word[3]);  // the lower one of the two
    inet_pton(AF_INET, Lab::server4, &key.high.word[3]);
    key.low_port = htons(client);
    key.high_port = htons(Sessions::port);
    key.l4_proto = IPPROTO_TCP;
    return key;
  }

  LruFloor floor_;
};

class NfConntrack : public FloodPeer {
 public:
  /// An answer that `answer` sends finds only a device that has a program.
  NfConntrack(const Lab& lab, const LiveFrames& live, uint32_t) : router_(lab.router) {
    attach_xdp({router_, "wan0"}, live.empty_program());
    router_.must_run(
        {"nft", "add table ip bench; add chain ip bench unused; add rule ip bench unused ct state new"});
    router_.set("netfilter/nf_conntrack_acct", "1");
  }

  BytesOf bytes(const std::vector<uint16_t>&) const override {
    BytesOf found;
    std::istringstream lines(router_.must_run({"conntrack", "-L", "-p", "tcp", "--state", "ESTABLISHED",
                                               "--orig-port-dst", std::to_string(Sessions::port)}));
    const std::regex original(
        "sport=([0-9]+) dport=[0-9]+ packets=[0-9]+ bytes=([0-9]+)");  // the first of a line
    std::smatch match;
    for (std::string line; std::getline(lines, line);)
      if (std::regex_search(line, match, original))
        found[static_cast<uint16_t>(std::stoul(match[1]))] = std::stoull(match[2]);
    return found;
  }

 private:
  const test::Netns& router_;
};

template <class Peer>
std::unique_ptr<FloodPeer> make(const Lab& lab, const LiveFrames& live, uint32_t size) {
  return std::make_unique<Peer>(lab, live, size);
}

bool is_there(const char* tool) {
  try {
    return test::run({tool, "--version"}).status == 0;
  } catch (const std::runtime_error&) {
    return false;
  }
}

}  // namespace

std::vector<PeerKind> flood_peers(std::string& without) {
  std::vector<PeerKind> kinds{{"xdpflowd", make<Xdpflowd>}};
  if (is_there("nft") && is_there("conntrack"))
    kinds.push_back({"nf_conntrack", make<NfConntrack>});
  else
    without = "nf_conntrack was not flooded: there is no nft or no conntrack here.";
  kinds.push_back({"one LRU table", make<OneTable>});
  return kinds;
}

uint32_t flood_table_size() {
  std::ifstream file("/proc/sys/net/netfilter/nf_conntrack_max");
  uint32_t size = 0;
  return file >> size ? size : 262'144;
}

}  // namespace xdpflowd::bench

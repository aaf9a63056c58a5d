// SPDX-License-Identifier: GPL-2.0-or-later
// Random TCP connections over a bad network, seen by xdpflowd and by nf_conntrack on the same router.
#include <gmock/gmock.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <set>
#include <sstream>

#include "daemon_lab.h"
#include "sockets.h"
#include "tcp_walk.h"

namespace xdpflowd::test {
namespace {

using ::testing::IsSubsetOf;

constexpr size_t connections = 400;
constexpr int rounds = 40, closing_rounds = 1000;
constexpr uint16_t first_port = 20000, server_port = 80;
constexpr const char* somebody6 = "2001:db8:1::99";
constexpr const char* none = "none";
constexpr const char* states[] = {"syn_sent",   "syn_recv", "established", "fin_wait",
                                  "close_wait", "last_ack", "time_wait",   "close"};

/// The configuration's section; `established` where that one is another.
std::string timeouts(const std::string& all, const std::string& established) {
  std::string section = "[timeouts]\n";
  for (const std::string state : states)
    section += "tcp_" + state + " = \"" + (state == "established" ? established : all) + "\"\n";
  return section;
}

using StateByPort = std::map<uint16_t, std::string>;
/// What xdpflowd says, what nf_conntrack says.
using Pair = std::pair<std::string, std::string>;

/// `| FIN_WAIT | ESTABLISHED | why |`, the rows of the table in the docs.
std::set<Pair> explained() {
  std::set<Pair> pairs;
  std::istringstream lines(read_file(std::string(XDPFLOWD_SOURCE_DIR) + "/docs/tcp-states.md"));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string bar, ours, theirs;
    if (words >> bar >> ours >> bar >> theirs && line.starts_with("| ") && std::isupper(ours.front()))
      pairs.emplace(ours, theirs);
  }
  return pairs;
}

Bytes framed(const Segment& segment, uint16_t port) {
  Packet packet = tcp().seq(segment.seq).payload(segment.payload);
  if (segment.from_server)
    packet.from(Lab::nobody6, server_port).to(somebody6, port);
  else
    packet.from(somebody6, port).to(Lab::nobody6, server_port);
  if (segment.syn) packet.syn();
  if (segment.ack) packet.ack().ack_number(segment.ack_number);
  if (segment.fin) packet.fin();
  if (segment.rst) packet.rst();
  Bytes frame = packet.frame();
  const Bytes router = {2, 0, 0, 0, static_cast<uint8_t>(segment.from_server ? 2 : 1), 1};
  std::ranges::copy(router, frame.begin());
  return frame;
}

/// Nobody's addresses, so that no stack of ours answers.
class TcpWalks : public PlainLab {
 protected:
  TcpWalks() {
    lab.router.ip(std::string("neighbour replace ") + somebody6 + " lladdr " + Lab::client_mac +
                  " dev lan0 nud permanent\nneighbour replace " + Lab::nobody6 + " lladdr " +
                  Lab::server_mac + " dev wan0 nud permanent");
    must_run(
        lab.router.command({"nft", "-f", "-"}),
        "table inet tracked { chain any { type filter hook forward priority 0; ct state new counter; }; }");
    lab.router.set("netfilter/nf_conntrack_checksum", "0");
    for (const std::string state : states)
      lab.router.set("netfilter/nf_conntrack_tcp_timeout_" + state, "3600");
    for (uint32_t seed = 0; seed < connections; ++seed) walks_.emplace_back(seed);
  }

  void step(size_t index, bool closing) {
    const auto segment = walks_[index].step(closing);
    if (!segment) return;
    const auto port = static_cast<uint16_t>(first_port + index);
    (segment->from_server ? server_ : client_).send(framed(*segment, port));
    ++(segment->from_server ? sent_down_ : sent_up_);
    if (segment->rst)
      reset_.insert(port), revived_.erase(port);
    else if (segment->payload > 0 && reset_.contains(port))
      revived_.insert(port);
  }

  uint64_t forwarded(const std::string& device) const {
    const Json links = Json::parse(
        must_run({"ip", "-n", lab.router.name(), "-json", "-statistics", "link", "show", device}));
    return links.at(0).at("stats64").at("tx").at("packets");
  }

  bool all_have_passed() const {
    return eventually(patience, [&] {
      return forwarded("wan0") - wan_before_ >= sent_up_ && forwarded("lan0") - lan_before_ >= sent_down_;
    });
  }

  StateByPort ours() const {
    StateByPort states;
    for (const Json& flow : flows({"--protocol", "tcp"})) {
      const uint16_t port = flow["source_port"], other = flow["destination_port"];
      states[port == server_port ? other : port] = flow["state"];
    }
    return states;
  }

  /// tcp 6 431999 ESTABLISHED src=... dst=... sport=... dport=... src=...
  StateByPort theirs() const {
    StateByPort states;
    std::istringstream lines(lab.router.must_run({"conntrack", "-L", "-f", "ipv6", "-p", "tcp"}));
    for (std::string line; std::getline(lines, line);) {
      std::istringstream words(line);
      std::string word, state;
      words >> word >> word >> word >> state;
      uint16_t port = 0;
      while (words >> word && !port)
        if (word.starts_with("sport=") || word.starts_with("dport=")) {
          const auto number = static_cast<uint16_t>(std::stoul(word.substr(6)));
          if (number != server_port) port = number;
        }
      states[port] = state;
    }
    return states;
  }

  void compare() {
    const StateByPort us = ours(), them = theirs();
    for (uint16_t port = first_port; port < first_port + connections; ++port) {
      const auto a = us.find(port), b = them.find(port);
      const Pair pair(a == us.end() ? none : a->second, b == them.end() ? none : b->second);
      ++seen_[pair];
    }
  }

  /// Each takes a step.
  void all_step(bool closing) {
    for (size_t i = 0; i < walks_.size(); ++i) step(i, closing);
  }

  bool all_are_done() const { return std::ranges::all_of(walks_, &TcpWalk::is_done); }

  const FrameSender client_{lab.client, "client0"}, server_{lab.server, "server0"};
  const uint64_t lan_before_ = forwarded("lan0"), wan_before_ = forwarded("wan0");
  uint64_t sent_up_ = 0, sent_down_ = 0;
  std::vector<TcpWalk> walks_;
  std::set<uint16_t> reset_, revived_;  // ports; revived: data passed after the last RST
  std::map<Pair, size_t> seen_;
};

TEST_F(TcpWalks, AreInStatesThatNfConntrackSeesTooOrThatTheDocsExplain) {
  // What either forgets on a slow machine would be no state.
  const auto daemon = start_daemon({.rest = timeouts("1h", "1h")});
  for (int round = 0; round < rounds; ++round) {
    all_step(false);
    ASSERT_TRUE(all_have_passed());
    compare();
  }
  std::set<Pair> different;
  std::ostringstream table;
  for (const auto& [pair, times] : seen_) {
    if (pair.first != pair.second) different.insert(pair);
    table << pair.first << ' ' << pair.second << ' ' << times << '\n';
  }
  EXPECT_THAT(different, IsSubsetOf(explained())) << table.str();
}

/// A closing state that a connection could be left in, or one that took it for established again, would stay,
/// as what the last data revived does.
TEST_F(TcpWalks, AreForgottenSoonAfterBothEndsAreClosed) {
  const auto daemon = start_daemon({.rest = timeouts("1s", "1h")});
  for (int round = 0; round < rounds; ++round) all_step(false);
  for (int round = 0; round < closing_rounds && !all_are_done(); ++round) all_step(true);
  ASSERT_TRUE(all_are_done());
  ASSERT_TRUE(all_have_passed());
  EXPECT_TRUE(eventually(patience, [&] {
    const StateByPort left = ours();
    return std::ranges::all_of(left, [&](const auto& flow) { return revived_.contains(flow.first); });
  })) << flows().dump(1);
  EXPECT_LT(revived_.size(), connections / 20);
}

}  // namespace
}  // namespace xdpflowd::test

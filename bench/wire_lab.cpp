// SPDX-License-Identifier: GPL-2.0-or-later
#include "wire_lab.h"

#include <algorithm>
#include <stdexcept>
#include <vector>

namespace xdpflowd::bench {
namespace {

using test::Lab;

constexpr uint32_t half_open = 131'072;
/// Some packets, after a change, until caches are as they will be.
constexpr uint32_t warm_up_packets = 50'000;
/// Of the flows that come by `fresh_every`.
constexpr const char* fresh_network = "10.128.0.0/9";

/// The rule is in no chain that a packet meets: that it is there is what makes the kernel track.
constexpr const char* tracking =
    "add table ip bench; add chain ip bench unused; add rule ip bench unused ct state new";
constexpr const char* offloading =
    "add table ip bench; add flowtable ip bench fast { hook ingress priority 0; devices = { lan0, wan0 }; }; "
    "add chain ip bench forward { type filter hook forward priority 0; }; "
    "add rule ip bench forward ip protocol tcp flow add @fast";

std::string rules_of(Conntrack conntrack) {
  if (conntrack == Conntrack::off) return "delete table ip bench";
  return conntrack == Conntrack::on ? tracking : offloading;
}

test::Packet segment_to_server() {
  return test::tcp().from("10.0.0.0", 40000).to(Lab::server4, 443);
}

test::Packet opening() {
  return segment_to_server().syn().seq(100);
}

test::Packet answer() {
  return segment_to_server().reversed().syn().ack_number(101).seq(500);
}

test::Packet established() {
  return segment_to_server().seq(101).ack_number(501).payload(6);
}

std::vector<Setting> trackers(bool has_conntrack) {
  std::vector<Setting> all = {{"", Xdp::floor}, {"", Xdp::xdpflowd}};
  if (has_conntrack) all.push_back({"", Xdp::none, Conntrack::on});
  return all;
}

uint32_t with_room(uint32_t flows) {
  return flows + flows / 4 + 65'536;
}

}  // namespace

WireLab::WireLab(uint32_t flows)
    : floor_(with_room(flows)),
      daemon_(lab_.router, {with_room(flows), half_open}),
      has_conntrack_(lacks(Conntrack::on).empty()) {
  prepare_router();
  in_use_ = {"", Xdp::xdpflowd};
  live_.sink(client());
  live_.sink(server());
}

/// With GRO the devices of the router poll, with and without an XDP program: packets take the same way.
void WireLab::prepare_router() const {
  for (const char* device : {"lan0", "wan0"}) lab_.router.must_run({"ethtool", "-K", device, "gro", "on"});
  lab_.router.ip(std::string("route add 10.0.0.0/8 via ") + Lab::client4);
  if (!has_conntrack_) return;
  for (const char* keeps : {"nf_conntrack_acct", "nf_conntrack_timestamp"})  // as xdpflowd does
    lab_.router.set(std::string("netfilter/") + keeps, "1");
}

Device WireLab::client() const {
  return {lab_.client, "client0", {2, 0, 0, 0, 1, 1}};
}

Device WireLab::server() const {
  return {lab_.server, "server0", {2, 0, 0, 0, 2, 1}};
}

std::string WireLab::lacks(Conntrack conntrack) const {
  for (const char* tool : {"nft", "conntrack"})
    if (lab_.router.run({tool, "--version"}).status != 0) return std::string("there is no ") + tool + " here";
  const auto outcome = lab_.router.run({"nft", rules_of(conntrack)});
  if (outcome.status != 0) return "the kernel has none";
  lab_.router.must_run({"nft", rules_of(Conntrack::off)});
  return "";
}

void WireLab::use(const Setting& setting) {
  use(setting.xdp);
  use(setting.conntrack);
  in_use_ = setting;
}

void WireLab::use(Xdp xdp) {
  if (xdp == in_use_.xdp) return;
  const UniqueFd ours = daemon_.program();
  for (const char* device : {"lan0", "wan0"}) attach_xdp({lab_.router, device}, program(xdp, ours));
}

int WireLab::program(Xdp xdp, const UniqueFd& ours) const {
  if (xdp == Xdp::empty) return live_.empty_program();
  if (xdp == Xdp::floor) return floor_.program();
  return xdp == Xdp::none ? -1 : ours.get();
}

void WireLab::use(Conntrack conntrack) {
  if (conntrack == in_use_.conntrack) return;
  if (in_use_.conntrack != Conntrack::off) lab_.router.must_run({"nft", rules_of(Conntrack::off)});
  if (conntrack != Conntrack::off) lab_.router.must_run({"nft", rules_of(conntrack)});
}

void WireLab::send_each(const Device& from, const test::Packet& packet, uint32_t first, uint32_t count) {
  live_.send(from, {packet, from.name == "server0", count, first, false}, count);
}

/// No more at a time than find room in the table of half-open flows.
void WireLab::establish(uint32_t first, uint32_t count) {
  for (const uint32_t end = first + count; first < end; first += count) {
    count = std::min(end - first, half_open / 2);
    send_each(client(), opening(), first, count);
    send_each(server(), answer(), first, count);
    send_each(client(), established(), first, count);
  }
}

void WireLab::fill(uint32_t first, uint32_t count) {
  for (const Setting& tracks : trackers(has_conntrack_)) {
    use(tracks);
    establish(first, count);
  }
  const auto known = std::stoul(daemon_.ctl({"flows", "--count", "--table", "established"}));
  if (known * 100 < (first + count) * 99UL)
    throw std::runtime_error("xdpflowd knows " + std::to_string(known) + " of " +
                             std::to_string(first + count) + " flows");
}

double WireLab::rate(uint32_t flows, uint32_t fresh_every, int slices) {
  if (in_use_.conntrack == Conntrack::flowtable) send_each(client(), established(), 0, flows);
  Traffic traffic{established(), false, flows};
  live_.send(client(), traffic, std::min(flows + warm_up_packets / 10, warm_up_packets));
  traffic.fresh_packet = opening();
  traffic.fresh_every = fresh_every;
  return live_.rate(client(), traffic, slices);
}

/// nf_conntrack forgets all: to pick out some takes it much longer.
void WireLab::forget_fresh(uint32_t flows) {
  daemon_.ctl({"flush", "--table", "half_open", "--source", fresh_network});
  if (!has_conntrack_) return;
  lab_.router.must_run({"conntrack", "-F"});
  use({"", Xdp::none, Conntrack::on});
  establish(0, flows);
}

}  // namespace xdpflowd::bench

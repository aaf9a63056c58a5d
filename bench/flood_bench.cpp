// SPDX-License-Identifier: GPL-2.0-or-later
// A SYN flood from random sources while connections live: what becomes of them, and of their flows.
//
// usage: flood_bench [--quick]
#include <nlohmann/json.hpp>
#include <string>
#include <thread>

#include "flood_peers.h"
#include "flows.h"
#include "live_frames.h"
#include "results.h"
#include "sessions.h"
#include "support/timers.h"

namespace xdpflowd::bench {
namespace {

using test::Lab;

constexpr uint16_t flooded_port = 8080;
/// In one go.
constexpr uint32_t wave = 50'000;

struct Plan {
  uint64_t syns;
  size_t sessions;
};

const Plan full{5'000'000, 1000}, quick{500'000, 200};

struct Aftermath {
  size_t broken = 0, lost = 0, tried = 0, failed = 0;
  double answered = 0;  ///< of the SYNs
};

class Flood {
 public:
  Flood(LiveFrames& live, const PeerKind& kind, uint32_t size, size_t sessions);
  Aftermath rage(uint64_t syns);

 private:
  uint64_t syns_arrived() const;
  /// How many of them are answered.
  double send(uint64_t syns);
  size_t lost(const BytesOf& before) const;

  LiveFrames& live_;
  Lab lab_{{.static_neighbours = true}};
  std::unique_ptr<FloodPeer> peer_;
  Sessions sessions_;
};

/// The answers go where the SYNs came from, and end there. With GRO a device takes frames that are no
/// socket buffers.
void prepare(const Lab& lab, const LiveFrames& live) {
  for (const char* device : {"lan0", "wan0"}) lab.router.must_run({"ethtool", "-K", device, "gro", "on"});
  lab.router.ip(std::string("route add 10.0.0.0/8 via ") + Lab::client4);
  live.sink({lab.client, "client0"});
  live.answer({lab.server, "server0"});
}

Flood::Flood(LiveFrames& live, const PeerKind& kind, uint32_t size, size_t sessions)
    : live_(live), peer_(kind.make(lab_, live, size)), sessions_(lab_, sessions) {
  prepare(lab_, live);
}

uint64_t Flood::syns_arrived() const {
  const auto links = lab_.router.must_run({"ip", "-s", "-json", "link", "show", "lan0"});
  return nlohmann::json::parse(links).at(0).at("stats64").at("rx").at("packets");
}

double Flood::send(uint64_t syns) {
  Traffic traffic{test::tcp().from("10.0.0.0", 1024).to(Lab::server4, flooded_port).syn().seq(100)};
  traffic.flows = 1U << 24;
  traffic.scatter = true;
  const Device client{lab_.client, "client0", {2, 0, 0, 0, 1, 1}};
  const uint64_t before = syns_arrived();
  uint64_t sent = 0, answers = 0;
  while ((sent = syns_arrived() - before) < syns) answers += live_.send(client, traffic, wave);
  return static_cast<double>(answers) / static_cast<double>(sent);
}

size_t Flood::lost(const BytesOf& before) const {
  size_t lost = 0;
  const auto after = peer_->bytes(sessions_.clients());
  for (const uint16_t client : sessions_.clients()) {
    const auto then = before.find(client), now = after.find(client);
    if (then == before.end()) throw std::runtime_error("a flow was not there before the flood");
    if (now == after.end() || now->second < then->second) lost++;
  }
  return lost;
}

Aftermath Flood::rage(uint64_t syns) {
  sessions_.say_much();
  const auto before = peer_->bytes(sessions_.clients());
  Newcomers newcomers(lab_);
  std::jthread talking([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) sessions_.talk();
  });
  const double answered = send(syns);
  talking.request_stop();
  talking.join();
  Aftermath aftermath{0, 0, std::max<size_t>(1, newcomers.tried()), newcomers.failed(), answered};
  sessions_.talk();
  aftermath.broken = sessions_.broken();
  aftermath.lost = lost(before);
  peer_->check();
  return aftermath;
}

std::string syns_text(uint64_t syns) {
  return syns % 1'000'000 ? std::to_string(syns / 1000) + " 000 SYNs"
                          : std::to_string(syns / 1'000'000) + " M SYNs";
}

void report(const Results& results, const Plan& plan, const std::string& peer, const Aftermath& aftermath) {
  const std::string syns = syns_text(plan.syns), of_sessions = "of " + std::to_string(plan.sessions);
  const std::string table = syns + " from random sources";
  const Samples broken{static_cast<double>(aftermath.broken)}, lost{static_cast<double>(aftermath.lost)};
  const double failed = 100.0 * static_cast<double>(aftermath.failed) / static_cast<double>(aftermath.tried);
  results.add(Measured{table, "connections that broke", peer, of_sessions, broken, ""});
  results.add(Measured{table, "their flows that were lost", peer, of_sessions, lost, ""});
  results.add(Measured{table, "others that could not be opened meanwhile", peer, "%", {failed}, ""});
  results.add(Measured{table, "SYNs that were answered", peer, "%", {100 * aftermath.answered}, ""});
  if (peer != "xdpflowd") return;
  results.add(Goal{"connections that broke under " + syns, "", broken, 0});
  results.add(Goal{"established flows that were lost under " + syns, "", lost, 0});
}

void say_what_differs(const Results& results, uint32_t size) {
  results.note("Each has room for " + std::to_string(size) +
               " flows, as many as nf_conntrack may hold on this machine; xdpflowd has half of them for "
               "flows that have not proved themselves.");
  results.note(
      "One flood each, as fast as one CPU makes it. Each SYN has another source, and is answered by a "
      "SYN-ACK. "
      "The connections speak in turns, each about once a second. A flow is lost if it is not in the table "
      "any "
      "more, or counts from the beginning again.");
  results.note("nf_conntrack, when full, gives up a connection that nobody has acknowledged for a new one.");
}

void measure(const Plan& plan) {
  const Results results("flood");
  const uint32_t size = flood_table_size();
  if (auto primed = test::prime_timers(2UL * size); !primed) throw std::runtime_error(primed.error().message);
  LiveFrames live;
  std::string without;
  for (const auto& kind : flood_peers(without)) {
    say("flood: " + kind.name);
    report(results, plan, kind.name, Flood(live, kind, size, plan.sessions).rage(plan.syns));
  }
  if (!without.empty()) results.note(without);
  say_what_differs(results, size);
}

}  // namespace
}  // namespace xdpflowd::bench

int main(int argc, char** argv) {
  using namespace xdpflowd::bench;
  return bench_main("flood_bench", argc, argv, [](bool is_quick) { measure(is_quick ? quick : full); });
}

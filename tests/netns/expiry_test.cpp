// SPDX-License-Identifier: GPL-2.0-or-later
// Every flow leaves when it is due, told by its record: never early, and late by no more than a busy machine
// explains.
#include <gmock/gmock.h>

#include <ctime>
#include <map>

#include "daemon_lab.h"
#include "sockets.h"

namespace xdpflowd::test {
namespace {

using ::testing::AllOf;
using ::testing::Ge;
using ::testing::Lt;
using ::testing::MatchesRegex;

constexpr double late = 1.0;          // seconds
constexpr double clock_slew = 0.001;  // what NTP may turn the wall clock by between two readings

double wall_seconds() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

/// Of an RFC 3339 time in UTC.
double seconds_of(const Json& time) {
  const std::string text = time;
  tm parts{};
  const char* fraction = strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  if (fraction == nullptr) throw std::runtime_error("not a time: " + text);
  return static_cast<double>(timegm(&parts)) + std::strtod(fraction, nullptr);
}

class Expiry : public PlainLab {
 protected:
  /// One datagram from the client; the flow is the only one with this port.
  void send_one(uint16_t port, size_t bytes = 10) const {
    const auto client = udp_socket(lab.client, Lab::client4, port);
    send_udp(client, Lab::server4, 53, bytes);
  }

  Json only_record() const {
    EXPECT_TRUE(records_become(1));
    const auto all = records();
    return all.size() == 1 ? all[0] : Json();
  }

  const DaemonConfig short_udp_{.rest = "[timeouts]\nudp = \"2s\"\n"};
  UniqueFd server_ = udp_socket(lab.server, Lab::server4, 53);
};

TEST_F(Expiry, AFlowOfOnePacketEndsOneTimeoutAfterIt) {
  const auto daemon = start_daemon(short_udp_);
  send_one(4000);
  ASSERT_TRUE(becomes(1));
  EXPECT_THAT(the_flow()["expires_in_seconds"].get<double>(), AllOf(Ge(0.0), Lt(2.1)));
  EXPECT_TRUE(becomes(0));
  EXPECT_THAT(only_record()["duration_seconds"].get<double>(), AllOf(Ge(2.0), Lt(2.0 + late)));
}

TEST_F(Expiry, ALaterPacketPutsTheEndOff) {
  const auto daemon = start_daemon(short_udp_);
  send_one(4000);
  ASSERT_TRUE(eventually(patience, [&] { return the_flow()["idle_seconds"] > 1.2; }));
  const double last_sent = wall_seconds();
  send_one(4000);
  const Json record = only_record();
  EXPECT_EQ(record["packets_forward"], 2);
  EXPECT_THAT(seconds_of(record["end"]) - last_sent, AllOf(Ge(2.0 - clock_slew), Lt(2.0 + late)));
}

TEST_F(Expiry, NoFlowEndsEarlyWhereverInATickItsPacketCame) {
  const auto daemon = start_daemon(short_udp_);
  std::map<uint16_t, double> sent;
  for (uint16_t port = 4000; port < 4050; ++port) {
    const auto client = udp_socket(lab.client, Lab::client4, port);
    sent[port] = wall_seconds();
    send_udp(client, Lab::server4, 53, 10);
  }
  ASSERT_TRUE(records_become(sent.size()));
  for (const Json& record : records())
    EXPECT_GE(seconds_of(record["end"]) - sent.at(record["source_port"]), 2.0 - clock_slew) << record;
}

TEST_F(Expiry, AFlowEndsOnTimeWithTheDaemonKilled) {
  auto daemon = start_daemon(short_udp_);
  kill_daemon(daemon);
  send_one(4000);
  ASSERT_TRUE(becomes(1));
  EXPECT_TRUE(becomes(0));
  EXPECT_TRUE(records().empty());

  const auto next = start_daemon(short_udp_);
  const Json record = only_record();
  EXPECT_EQ(record["source_port"], 4000);
  EXPECT_THAT(record["duration_seconds"].get<double>(), AllOf(Ge(2.0), Lt(2.0 + late)));
}

TEST_F(Expiry, AKilledDaemonCostsNoRecordThatWasWaiting) {
  auto daemon = start_daemon(short_udp_);
  send_one(4000);
  ASSERT_TRUE(becomes(1));
  kill_daemon(daemon);
  ASSERT_TRUE(becomes(0));
  const auto next = start_daemon(short_udp_);
  EXPECT_EQ(only_record()["source_port"], 4000);
}

TEST_F(Expiry, ARecordSaysWhoHowMuchWhenAndWhy) {
  const auto daemon = start_daemon(short_udp_);
  const double before = wall_seconds();
  send_one(4000, 100);
  receive_udp(server_);
  send_udp(server_, Lab::client4, 4000, 50);
  const Json record = only_record();
  const Json expected = {{"zone", "default"},           {"protocol", "udp"},
                         {"source", Lab::client4},      {"source_port", 4000},
                         {"destination", Lab::server4}, {"destination_port", 53},
                         {"state", "REPLIED"},          {"table", "half_open"},
                         {"direction", "both"},         {"packets_forward", 1},
                         {"bytes_forward", 128},        {"packets_reverse", 1},
                         {"bytes_reverse", 78},         {"reason", "idle"}};
  for (const auto& [name, value] : expected.items()) EXPECT_EQ(record[name], value) << name;

  const char* nanoseconds = "....-..-..T..:..:..\\..........Z";
  EXPECT_THAT(record["start"].get<std::string>(), MatchesRegex(nanoseconds));
  EXPECT_THAT(record["end"].get<std::string>(), MatchesRegex(nanoseconds));
  EXPECT_NEAR(seconds_of(record["start"]), before, late);
  EXPECT_NEAR(seconds_of(record["end"]) - seconds_of(record["start"]),
              record["duration_seconds"].get<double>(), 1e-5);
}

TEST_F(Expiry, AClosedConnectionLeavesAfterTimeWait) {
  const auto daemon = start_daemon({.rest = "[timeouts]\ntcp_time_wait = \"1s\"\n"});
  auto connection = open_tcp(lab, Lab::server4, 8080);
  connection.send_up(1000);
  connection.close();
  const Json record = only_record();
  EXPECT_EQ(record["reason"], "closed");
  EXPECT_EQ(record["state"], "TIME_WAIT");
  EXPECT_EQ(record["table"], "established");
}

TEST_F(Expiry, ARefusedConnectionLeavesAfterClose) {
  const auto daemon = start_daemon({.rest = "[timeouts]\ntcp_close = \"1s\"\n"});
  EXPECT_EQ(try_connect(lab.client, Lab::server4, 8080), ECONNREFUSED);
  const Json record = only_record();
  EXPECT_EQ(record["reason"], "reset");
  EXPECT_EQ(record["state"], "CLOSE");
}

}  // namespace
}  // namespace xdpflowd::test

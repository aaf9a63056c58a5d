// SPDX-License-Identifier: GPL-2.0-or-later
#include <gmock/gmock.h>

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>
#include <sstream>

#include "ctl/flow_json.h"
#include "ctl/flow_order.h"
#include "ctl/flow_table_text.h"
#include "ctl/status.h"
#include "ctl/units.h"
#include "unit/flows.h"

namespace xdpflowd {
namespace {

using Json = nlohmann::ordered_json;
using test::address;
using test::second_ns;
using test::tcp_flow;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr auto s = static_cast<int64_t>(second_ns);

Flow long_ipv6_flow() {
  Flow flow = tcp_flow();
  flow.source = address("2001:db8:1111:2222:3333:4444:5555:6666");
  flow.destination = address("2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff");
  flow.source_port = 50000;
  flow.forward = {123456, 123456789};
  flow.reverse = {234567, 3234567890};
  flow.age_ns = 252 * s;
  flow.idle_ns = 3 * s;
  flow.expires_in_ns = 431'997 * s;
  return flow;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

std::vector<std::string> table_of(const std::vector<Flow>& flows, size_t width) {
  std::ostringstream out;
  write_flow_table(out, flows, width);
  return lines_of(out.str());
}

size_t widest(const std::vector<std::string>& lines) {
  return std::ranges::max(lines, {}, &std::string::size).size();
}

TEST(Units, BytesAreBinary) {
  const std::pair<uint64_t, std::string> cases[] = {
      {0, "0B"},
      {1023, "1023B"},
      {1024, "1.0KiB"},
      {1'258'291, "1.1MiB"},
      {1024 * 1024 - 1, "1023.9KiB"},
      {1024 * 1024, "1.0MiB"},
      {UINT64_MAX, "15.9EiB"},
  };
  for (const auto& [bytes, text] : cases) EXPECT_EQ(bytes_text(bytes), text);
}

TEST(Units, DurationsHaveTwoUnitsAtMost) {
  const std::pair<int64_t, std::string> cases[] = {
      {0, "0.0s"},        {1'999'999'999, "1.9s"}, {10 * s, "10s"},        {59 * s, "59s"},
      {60 * s, "1m"},     {252 * s, "4m12s"},      {3600 * s, "1h"},       {3659 * s, "1h"},
      {3660 * s, "1h1m"}, {86'400 * s, "1d"},      {431'999 * s, "4d23h"}, {432'000 * s, "5d"},
  };
  for (const auto& [duration_ns, text] : cases) EXPECT_EQ(duration_text(duration_ns), text);
}

TEST(Units, LatenciesHaveThreeDigits) {
  const std::pair<int64_t, std::string> cases[] = {
      {0, "0.00us"},
      {999, "0.99us"},
      {12'345, "12.3us"},
      {412'999, "412us"},
      {999'999, "999us"},
      {1'234'567, "1.23ms"},
      {45'678'900, "45.6ms"},
      {999'999'999, "999ms"},
      {1'000'000'000, "1.00s"},
      {59'999'000'000, "59.9s"},
      {3'600 * s, "3600s"},
  };
  for (const auto& [latency_ns, text] : cases) EXPECT_EQ(latency_text(latency_ns), text);
}

TEST(FlowTable, AFlowIsOneAlignedLine) {
  Flow tcp = tcp_flow();
  tcp.forward = {12, 1500};
  tcp.reverse = {10, 4 * 1024 * 1024};
  tcp.age_ns = 252 * s;
  tcp.idle_ns = 1 * s;
  tcp.expires_in_ns = 431'999 * s;
  Flow gre = tcp_flow();
  gre.zone = "tenant-a";
  gre.protocol = 47;
  gre.source_port = gre.destination_port = 0;
  gre.state = XF_STATE_UNREPLIED;
  gre.replied = false;
  gre.swept = true;
  EXPECT_THAT(table_of({tcp, gre}, 0),
              ElementsAre("ZONE      PROTO  SOURCE           DESTINATION       STATE        DIR      PACKETS "
                          "         BYTES    AGE  IDLE  EXPIRES  TIMER",
                          "default   tcp    192.0.2.1:40000  198.51.100.7:443  ESTABLISHED  both       12/10 "
                          " 1.4KiB/4.0MiB  4m12s  1.0s    4d23h  exact",
                          "tenant-a  47     192.0.2.1        198.51.100.7      UNREPLIED    one-way      0/0 "
                          "         0B/0B   0.0s  0.0s     0.0s  swept"));
}

TEST(FlowTable, IPv6HasBracketsOnlyBeforeAPort) {
  Flow flow = tcp_flow();
  flow.source = address("2001:db8::1");
  flow.destination = address("2001:db8::2");
  flow.destination_port = 0;
  EXPECT_THAT(table_of({flow}, 0)[1], HasSubstr(" [2001:db8::1]:40000  2001:db8::2  "));
}

TEST(FlowTable, WithoutFlowsIsItsHeader) {
  EXPECT_THAT(
      table_of({}, 0),
      ElementsAre("ZONE  PROTO  SOURCE  DESTINATION  STATE  DIR  PACKETS  BYTES  AGE  IDLE  EXPIRES  TIMER"));
}

TEST(FlowTable, NoTerminalFrom80To140ColumnsBreaksALine) {
  for (size_t width = 80; width <= 140; ++width)
    EXPECT_LE(widest(table_of({tcp_flow(), long_ipv6_flow()}, width)), width);
}

TEST(FlowTable, WhatDoesNotFitGoesOnInAlignedColumnsOnTheNextLine) {
  EXPECT_THAT(table_of({tcp_flow(), long_ipv6_flow()}, 80),
              ElementsAre("ZONE     PROTO  SOURCE",  //
                          "    DESTINATION                                   STATE",
                          "    DIR         PACKETS            BYTES    AGE  IDLE  EXPIRES  TIMER",
                          "default  tcp    192.0.2.1:40000",  //
                          "    198.51.100.7:443                              ESTABLISHED",
                          "    both            0/0            0B/0B   0.0s  0.0s     0.0s  exact",
                          "default  tcp    [2001:db8:1111:2222:3333:4444:5555:6666]:50000",
                          "    [2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff]:443  ESTABLISHED",
                          "    both  123456/234567  117.7MiB/3.0GiB  4m12s  3.0s    4d23h  exact"));
}

TEST(FlowTable, NumbersStayTogetherRatherThanFillTheLine) {
  EXPECT_THAT(table_of({tcp_flow()}, 100),
              ElementsAre("ZONE     PROTO  SOURCE           DESTINATION       STATE",
                          "    DIR   PACKETS  BYTES   AGE  IDLE  EXPIRES  TIMER",
                          "default  tcp    192.0.2.1:40000  198.51.100.7:443  ESTABLISHED",
                          "    both      0/0  0B/0B  0.0s  0.0s     0.0s  exact"));
}

TEST(FlowTable, NoLineEndsInBlanks) {
  for (const size_t width : {0, 80, 100, 140})
    for (const std::string& line : table_of({tcp_flow(), long_ipv6_flow()}, width))
      EXPECT_NE(line.back(), ' ');
}

TEST(FlowTable, StopsWhenTheReaderIsGone) {
  std::ostringstream out;
  out.setstate(std::ios::badbit);
  const std::vector<Flow> flows(10, tcp_flow());
  write_flow_table(out, flows, 0);
  EXPECT_EQ(out.str(), "");
}

std::vector<uint16_t> order(std::vector<Flow> flows, SortBy by,
                            std::optional<uint64_t> limit = std::nullopt) {
  std::ranges::reverse(flows);
  sort_flows(flows, by, limit);
  std::vector<uint16_t> ports;
  for (const Flow& flow : flows) ports.push_back(flow.source_port);
  return ports;
}

TEST(FlowOrder, ByNameIsByZoneThenProtocolThenAddressesAsNumbers) {
  std::vector<Flow> flows(5, tcp_flow());
  flows[0].source = address("9.0.0.0");
  flows[1].source = address("10.0.0.0");
  flows[2].source = address("2001:db8::1");
  flows[3].protocol = IPPROTO_UDP;
  flows[4].zone = "tenant-a";
  for (uint16_t i = 0; i < flows.size(); ++i) flows[i].source_port = i;
  EXPECT_THAT(order(flows, SortBy::name), ElementsAre(0, 1, 2, 3, 4));
}

TEST(FlowOrder, ByANumberIsTheLargestFirstAndEqualsByName) {
  std::vector<Flow> flows(3, tcp_flow());
  for (uint16_t i = 0; i < flows.size(); ++i) flows[i].source_port = i;
  flows[1].forward = {1, 10};
  flows[2].reverse = {3, 5};
  flows[2].age_ns = 7;
  flows[1].idle_ns = 7;
  EXPECT_THAT(order(flows, SortBy::bytes), ElementsAre(1, 2, 0));
  EXPECT_THAT(order(flows, SortBy::packets), ElementsAre(2, 1, 0));
  EXPECT_THAT(order(flows, SortBy::age), ElementsAre(2, 0, 1));
  EXPECT_THAT(order(flows, SortBy::idle), ElementsAre(1, 0, 2));
}

TEST(FlowOrder, ALimitKeepsTheFirst) {
  std::vector<Flow> flows(3, tcp_flow());
  for (uint16_t i = 0; i < flows.size(); ++i) flows[i].source_port = i;
  EXPECT_THAT(order(flows, SortBy::name, 2), ElementsAre(0, 1));
  EXPECT_THAT(order(flows, SortBy::name, 9), ElementsAre(0, 1, 2));
}

Json array_of(const std::vector<Flow>& flows) {
  std::ostringstream out;
  write_flow_array(out, flows);
  return Json::parse(out.str());
}

TEST(FlowJson, HasItsNamesInTheirOrder) {
  const Json flows = array_of({tcp_flow()});
  std::string names;
  for (const auto& [name, value] : flows[0].items()) names += name + " ";
  EXPECT_EQ(
      names,
      "zone protocol source source_port destination destination_port state table direction timer "
      "packets_forward bytes_forward packets_reverse bytes_reverse icmp_errors age_seconds idle_seconds "
      "expires_in_seconds ");
}

TEST(FlowJson, HasTheFlowsInTheGivenOrder) {
  Flow first = long_ipv6_flow();
  first.idle_ns = 1'500'000'001;
  first.icmp_errors = 4;
  const Json flows = array_of({first, tcp_flow()});
  ASSERT_EQ(flows.size(), 2u);
  EXPECT_EQ(flows[0]["source"], "2001:db8:1111:2222:3333:4444:5555:6666");
  EXPECT_EQ(flows[0]["source_port"], 50000);
  EXPECT_EQ(flows[0]["bytes_reverse"], 3234567890);
  EXPECT_EQ(flows[0]["icmp_errors"], 4);
  EXPECT_EQ(flows[0]["timer"], "exact");
  EXPECT_EQ(flows[0]["age_seconds"], 252.0);
  EXPECT_EQ(flows[0]["idle_seconds"], 1.500000001);
  EXPECT_EQ(flows[1]["source"], "192.0.2.1");
}

TEST(FlowJson, IsOneFlowPerLine) {
  std::ostringstream out;
  write_flow_array(out, std::vector<Flow>(3, tcp_flow()));
  EXPECT_EQ(lines_of(out.str()).size(), 5u);
}

TEST(FlowJson, KeepsTheOrderOfAsManyAsThereAre) {
  std::vector<Flow> flows(3000, tcp_flow());
  for (uint16_t i = 0; i < flows.size(); ++i) flows[i].source_port = i;
  const Json array = array_of(flows);
  ASSERT_EQ(array.size(), flows.size());
  for (uint16_t i = 0; i < flows.size(); ++i) ASSERT_EQ(array[i]["source_port"], i);
}

TEST(FlowJson, SaysNothingOfAFewFlowsBeforeItsEnd) {
  std::ostringstream out;
  {
    FlowArray array(out);
    array.add(tcp_flow());
    EXPECT_FALSE(array.begun());
  }
  EXPECT_EQ(out.str(), "");
}

TEST(FlowJson, HasBegunWithTheFirstBlock) {
  std::ostringstream out;
  {
    FlowArray array(out);
    for (int i = 0; i < 3000; ++i) array.add(tcp_flow());
    EXPECT_TRUE(array.begun());
  }
  EXPECT_FALSE(Json::accept(out.str())) << "what was not closed has its end";
}

TEST(FlowJson, WithoutFlowsIsAnEmptyArray) {
  EXPECT_EQ(array_of({}), Json::array());
}

TEST(FlowJson, ACountIsANumberOrADocument) {
  EXPECT_EQ(number_answer("flows", 12, false), "12\n");
  EXPECT_EQ(Json::parse(number_answer("flows", 12, true)), Json({{"flows", 12}}));
}

struct StatusAnswer : testing::Test {
  StatusAnswer() {
    report.version = "1.2.3";
    report.kernel = "6.18.0";
    report.now_ns = 100 * second_ns;
    report.daemon = {.running = true, .pid = 4711};
    Snapshot& snapshot = report.snapshot;
    snapshot.control.generation = 5;
    snapshot.control.heartbeat_ns = 99 * second_ns;
    std::strcpy(snapshot.control.version, "1.2.3");
    snapshot.global.lost[XF_LOST_RECORD] = 8;
    snapshot.interfaces = {{.name = "wan0", .mode = XF_MODE_NATIVE, .dispatcher = true, .zone = "default"}};
    snapshot.interfaces[0].stats.packets[XF_VERDICT_TRACKED] = 90;
    snapshot.interfaces[0].stats.packets[XF_VERDICT_UNTRACKED] = 10;
    snapshot.interfaces[0].stats.bytes = 2048;
    ZoneSnapshot zone;
    zone.name = "default";
    zone.stats.created = 10;
    zone.stats.promoted = 4;
    zone.stats.ended[XF_TABLE_ESTABLISHED][XF_REASON_IDLE] = 1;
    zone.stats.ended[XF_TABLE_HALF_OPEN][XF_REASON_RESET] = 2;
    zone.stats.orphaned = 3;
    zone.stats.adopted = 1;
    zone.tables[XF_TABLE_HALF_OPEN].capacity = 131'072;
    zone.tables[XF_TABLE_ESTABLISHED].capacity = 1'000'000;
    zone.tables[XF_TABLE_ESTABLISHED].counted = 3;
    snapshot.zones = {zone};
  }

  std::string text(size_t width = 0) const {
    std::ostringstream out;
    write_status_text(out, report, width);
    return out.str();
  }
  Json json() const { return Json::parse(status_json(report)); }

  StatusReport report;
};

TEST_F(StatusAnswer, JsonHasTheNamesOfTheContract) {
  const Json status = json();
  EXPECT_EQ(status["version"], "1.2.3");
  EXPECT_EQ(status["kernel"], "6.18.0");
  EXPECT_EQ(status["generation"], 5);
  EXPECT_EQ(status["daemon"]["running"], true);
  EXPECT_EQ(status["daemon"]["pid"], 4711);
  const Json& interface = status["interfaces"][0];
  EXPECT_EQ(interface["name"], "wan0");
  EXPECT_EQ(interface["mode"], "native");
  EXPECT_EQ(interface["dispatcher"], true);
  EXPECT_EQ(interface["zone"], "default");
  const Json& zone = status["zones"][0];
  EXPECT_EQ(zone["name"], "default");
  EXPECT_EQ(zone["max_flows"], 1'000'000);
  EXPECT_EQ(zone["max_half_open"], 131'072);
  EXPECT_EQ(zone["established"], 3);
  EXPECT_EQ(zone["half_open"], 4);
  EXPECT_EQ(zone["orphans"], 2);
}

TEST_F(StatusAnswer, JsonCountsToo) {
  const Json status = json();
  EXPECT_EQ(status["daemon"]["heartbeat_age_seconds"], 1.0);
  EXPECT_EQ(status["interfaces"][0]["packets"]["tracked"], 90);
  EXPECT_EQ(status["interfaces"][0]["bytes"], 2048);
  EXPECT_EQ(status["zones"][0]["created"], 10);
  EXPECT_EQ(status["zones"][0]["ended"]["half_open"]["reset"], 2);
  EXPECT_EQ(status["zones"][0]["evicted"]["established"], 0);
  EXPECT_EQ(status["zones"][0]["counted"]["established"], 3);
  EXPECT_EQ(status["lost"]["record"], 8);
}

TEST_F(StatusAnswer, WhatIsNotKnownIsNull) {
  report.daemon = {.running = false, .pid = 4711};
  report.snapshot.control.heartbeat_ns = 0;
  report.snapshot.interfaces[0].zone = "";
  const Json status = json();
  EXPECT_EQ(status["daemon"]["running"], false);
  EXPECT_TRUE(status["daemon"]["pid"].is_null());
  EXPECT_TRUE(status["daemon"]["heartbeat_age_seconds"].is_null());
  EXPECT_TRUE(status["interfaces"][0]["zone"].is_null());
  EXPECT_TRUE(status["zones"][0]["counted"]["half_open"].is_null());
}

TEST_F(StatusAnswer, OrphansAreNeverNegative) {
  report.snapshot.zones[0].stats.adopted = 9;
  EXPECT_EQ(json()["zones"][0]["orphans"], 0);
}

TEST_F(StatusAnswer, AHeartbeatFromAheadIsNotNegative) {
  report.snapshot.control.heartbeat_ns = report.now_ns + 5;
  EXPECT_EQ(json()["daemon"]["heartbeat_age_seconds"], 0.0);
}

TEST_F(StatusAnswer, WithoutInterfacesAndZonesIsStillADocument) {
  report.snapshot.interfaces.clear();
  report.snapshot.zones.clear();
  EXPECT_EQ(json()["interfaces"], Json::array());
  EXPECT_EQ(json()["zones"], Json::array());
}

TEST_F(StatusAnswer, AnInterfaceNameThatIsNotUtf8IsStillADocument) {
  report.snapshot.interfaces[0].name = "wan\xff";
  EXPECT_EQ(json()["interfaces"].size(), 1u);
}

TEST_F(StatusAnswer, TextSaysWhatRuns) {
  EXPECT_THAT(text(), HasSubstr("xdpflowd 1.2.3, kernel 6.18.0, data plane generation 5\n"
                                "daemon: running, pid 4711, last heartbeat 1.0s ago\n"));
  EXPECT_THAT(text(), HasSubstr("wan0       native  yes         default      100         10  2.0KiB\n"));
  EXPECT_THAT(text(), HasSubstr("8 records, 0 events"));
}

TEST_F(StatusAnswer, TextSaysThatFlowsGoOnWithoutTheDaemon) {
  report.daemon.running = false;
  EXPECT_THAT(text(), HasSubstr("daemon: not running, last heartbeat 1.0s ago\n"));
  EXPECT_THAT(text(), HasSubstr("expire in the kernel without it"));
}

TEST_F(StatusAnswer, AResizeAndAnUpgradeThatAreUnderWayAreShown) {
  EXPECT_EQ(json()["upgrade"], Json());
  EXPECT_THAT(text(), AllOf(Not(HasSubstr("resize:")), Not(HasSubstr("upgrade:"))));
  report.snapshot.zones[0].tables[XF_TABLE_ESTABLISHED].former = 77;
  report.upgrade = UpgradeState{.former_generation = 4, .former_program = 31, .flows = 9};
  EXPECT_EQ(json()["zones"][0]["resizing"], Json({{"half_open", 0}, {"established", 77}}));
  EXPECT_EQ(json()["upgrade"], Json({{"former_generation", 4}, {"former_program", 31}, {"flows", 9}}));
  EXPECT_THAT(text(),
              HasSubstr("resize: 77 flows of zone default are still in the former established table\n"));
  EXPECT_THAT(text(),
              HasSubstr("upgrade: program 31 of generation 4 is still loaded; 9 flows have its timers\n"));
}

TEST_F(StatusAnswer, AHeartbeatThatStaysOutIsAStall) {
  EXPECT_EQ(json()["daemon"]["stalled"], false);
  report.now_ns = report.snapshot.control.heartbeat_ns + 12 * second_ns;
  EXPECT_EQ(json()["daemon"]["stalled"], true);
  EXPECT_EQ(json()["daemon"]["running"], true);
  EXPECT_THAT(text(), HasSubstr("daemon: stalled for 12s, pid 4711\n"));
  EXPECT_THAT(text(), HasSubstr("expire in the kernel without it"));
}

TEST_F(StatusAnswer, ADaemonThatIsNotThereDoesNotStall) {
  report.daemon.running = false;
  report.now_ns = report.snapshot.control.heartbeat_ns + 12 * second_ns;
  EXPECT_EQ(json()["daemon"]["stalled"], false);
  EXPECT_THAT(text(), HasSubstr("daemon: not running, last heartbeat 12s ago\n"));
}

TEST_F(StatusAnswer, TextWarnsOfGenericModeOnlyWhereItIsUsed) {
  EXPECT_THAT(text(), Not(HasSubstr("GRO")));
  report.snapshot.interfaces[0].mode = XF_MODE_GENERIC;
  EXPECT_THAT(text(), HasSubstr("a packet is what GRO delivers"));
}

TEST_F(StatusAnswer, TextTellsWhenTheProgramsAreOfAnotherVersion) {
  EXPECT_THAT(text(), Not(HasSubstr("were loaded by")));
  std::strcpy(report.snapshot.control.version, "1.2.2");
  EXPECT_THAT(text(), HasSubstr("were loaded by version 1.2.2"));
}

TEST_F(StatusAnswer, TextTellsThatNothingWasAttachedSoFar) {
  report.snapshot.control.generation = 0;
  std::strcpy(report.snapshot.control.version, "");
  EXPECT_THAT(text(), AllOf(HasSubstr("No interface was attached so far"), Not(HasSubstr("were loaded by"))));
}

TEST_F(StatusAnswer, TextNamesOnlyTheErrorsThatHappened) {
  EXPECT_THAT(text(), Not(HasSubstr("errors:")));
  report.snapshot.global.errors[XF_ERROR_DELETE] = 2;
  report.snapshot.global.errors[XF_ERROR_NO_INTERFACE] = 1;
  EXPECT_THAT(text(), HasSubstr("errors: 2 delete, 1 no_interface\n"));
}

TEST_F(StatusAnswer, TargetsAreCountedAsTheyAreShown) {
  EXPECT_THAT(text(), Not(HasSubstr("targets:")));
  EXPECT_EQ(json()["targets"], Json({{"up", 0}, {"down", 0}, {"unknown", 0}}));
  std::vector<Target>& targets = report.snapshot.targets;
  targets.resize(5);
  targets[0].state.health = targets[1].state.health = targets[2].state.health = XF_HEALTH_UP;
  targets[2].state.forced = XF_HEALTH_DOWN;
  targets[3].state.health = XF_HEALTH_DOWN;
  EXPECT_THAT(text(), HasSubstr("targets: 2 up, 2 down, 1 unknown\n"));
  EXPECT_EQ(json()["targets"], Json({{"up", 2}, {"down", 2}, {"unknown", 1}}));
}

TEST_F(StatusAnswer, TextFits80Columns) {
  report.snapshot.interfaces[0].mode = XF_MODE_GENERIC;
  EXPECT_LE(widest(lines_of(text(80))), 80u);
}

}  // namespace
}  // namespace xdpflowd

// SPDX-License-Identifier: GPL-2.0-or-later
#include "flow/filter.h"

#include <gmock/gmock.h>

#include "unit/flows.h"

namespace xdpflowd {
namespace {

using test::address;
using test::tcp_flow;
using testing::HasSubstr;

FlowFilter filter_of(const FilterText& text) {
  auto filter = FlowFilter::parse(text);
  EXPECT_TRUE(filter) << filter.error().message;
  return *filter;
}

std::string refusal_of(const FilterText& text) {
  const auto filter = FlowFilter::parse(text);
  if (filter) return "accepted";
  EXPECT_EQ(filter.error().kind, Error::Kind::usage);
  return filter.error().message;
}

TEST(Filter, WithoutFiltersMatchesEverything) {
  EXPECT_TRUE(FlowFilter{}.matches(tcp_flow()));
  EXPECT_TRUE(FlowFilter{}.matches_all());
}

TEST(Filter, MatchesWhatItNamesAndNothingElse) {
  const struct {
    FilterText right, wrong;
  } cases[] = {
      {{.zone = "default"}, {.zone = "tenant-a"}},
      {{.protocol = "tcp"}, {.protocol = "udp"}},
      {{.protocol = "6"}, {.protocol = "47"}},
      {{.source = "192.0.2.0/24"}, {.source = "198.51.100.0/24"}},
      {{.destination = "198.51.100.7"}, {.destination = "192.0.2.1"}},
      {{.port = "40000"}, {.port = "80"}},
      {{.port = "443"}, {.port = "0"}},
      {{.state = "established"}, {.state = "SYN_SENT"}},
      {{.table = "established"}, {.table = "half_open"}},
  };
  for (const auto& [right, wrong] : cases) {
    EXPECT_TRUE(filter_of(right).matches(tcp_flow())) << &right - &cases[0].right;
    EXPECT_FALSE(filter_of(wrong).matches(tcp_flow()));
    EXPECT_FALSE(filter_of(right).matches_all());
  }
}

TEST(Filter, AllFiltersMustMatch) {
  EXPECT_TRUE(filter_of({.protocol = "tcp", .port = "443"}).matches(tcp_flow()));
  EXPECT_FALSE(filter_of({.protocol = "udp", .port = "443"}).matches(tcp_flow()));
}

TEST(Filter, KnowsWhetherItNeedsToLookAtFlows) {
  EXPECT_TRUE(filter_of({}).matches_whole_tables());
  EXPECT_TRUE(filter_of({.zone = "default", .table = "established"}).matches_whole_tables());
  EXPECT_FALSE(filter_of({.protocol = "tcp"}).matches_whole_tables());
  EXPECT_FALSE(filter_of({.port = "443", .table = "established"}).matches_whole_tables());
}

TEST(Filter, AnEmptyZoneIsNotNoFilter) {
  EXPECT_FALSE(filter_of({.zone = ""}).matches_all());
}

TEST(Filter, RefusalsNameTheOptionAndSayWhatWouldBeRight) {
  const std::pair<FilterText, std::string> cases[] = {
      {{.protocol = "tpc"},
       "--protocol: \"tpc\" is not a protocol; say tcp, udp, icmp, icmpv6 or a number up to 255"},
      {{.protocol = "256"}, "number up to 255"},
      {{.protocol = ""}, "--protocol: \"\" is not"},
      {{.source = "router"}, "--source: \"router\" is not an address or prefix; say one like 192.0.2.0/24"},
      {{.destination = "10.0.0/8"}, "--destination: \"10.0.0/8\" is not an address"},
      {{.port = "65536"}, "--port: \"65536\" is not a port; say a number up to 65535"},
      {{.port = "-1"}, "is not a port"},
      {{.port = "80x"}, "is not a port"},
      {{.state = "OPEN"}, "--state: \"OPEN\" is not a state; say SYN_SENT, SYN_RECV, "},
      {{.table = "both"}, "--table: \"both\" is not a table; say half_open or established"},
  };
  for (const auto& [text, message] : cases) EXPECT_THAT(refusal_of(text), HasSubstr(message));
}

TEST(Filter, AMissingZoneIsAnsweredWithTheZonesThereAre) {
  const FlowFilter filter = filter_of({.zone = "tenant-b"});
  EXPECT_TRUE(filter.check_zone({"default", "tenant-b"}));
  const Status status = filter.check_zone({"default", "tenant-a"});
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().message, "--zone: there is no zone \"tenant-b\"; say default or tenant-a");
  EXPECT_EQ(status.error().kind, Error::Kind::usage);
}

TEST(Cidr, ContainsWhatSharesThePrefix) {
  const struct {
    std::string cidr, address;
    bool contained;
  } cases[] = {
      {"192.0.2.0/24", "192.0.2.255", true},
      {"192.0.2.0/24", "192.0.3.0", false},
      {"192.0.2.128/25", "192.0.2.128", true},
      {"192.0.2.128/25", "192.0.2.127", false},
      {"192.0.2.32/27", "192.0.2.63", true},
      {"192.0.2.32/27", "192.0.2.64", false},
      {"192.0.2.32/27", "192.0.2.0", false},
      {"192.0.2.8/31", "192.0.2.9", true},
      {"192.0.2.8/31", "192.0.2.10", false},
      {"192.0.2.1", "192.0.2.1", true},
      {"192.0.2.1", "192.0.2.2", false},
      {"192.0.2.1/32", "192.0.2.1", true},
      {"0.0.0.0/0", "255.1.2.3", true},
      {"0.0.0.0/0", "2001:db8::1", false},
      {"::/0", "2001:db8::1", true},
      {"::/0", "192.0.2.1", false},
      {"::/64", "192.0.2.1", false},
      {"::/64", "::1", true},
      {"2001:db8::/32", "2001:db8:ffff::1", true},
      {"2001:db8::/32", "2001:db9::1", false},
      {"2001:db8::/33", "2001:db8:7fff::", true},
      {"2001:db8::/33", "2001:db8:8000::", false},
      {"2001:db8::1", "2001:db8::1", true},
      {"2001:db8::1", "2001:db8::2", false},
      {"::ffff:192.0.2.0/120", "192.0.2.9", true},
  };
  for (const auto& [text, inside, contained] : cases) {
    const auto cidr = Cidr::parse(text);
    ASSERT_TRUE(cidr) << text;
    EXPECT_EQ(cidr->contains(address(inside)), contained) << inside << " in " << text;
  }
}

TEST(Cidr, RefusesWhatIsNotANetwork) {
  const std::pair<std::string, std::string> cases[] = {
      {"192.0.2.1/24", "has bits set behind its prefix; say 192.0.2.0/24"},
      {"2001:db8::1/64", "has bits set behind its prefix; say 2001:db8::/64"},
      {"192.0.2.1/0", "say 0.0.0.0/0"},
      {"192.0.2.0/33", "up to 32"},
      {"2001:db8::/129", "up to 128"},
      {"192.0.2.0/", "up to 32"},
      {"192.0.2.0/-1", "up to 32"},
      {"192.0.2.0/24x", "up to 32"},
      {"192.0.2.0/99999999999999999999", "up to 32"},
      {"", "is not an address or prefix"},
      {"/24", "is not an address or prefix"},
      {"1234", "is not an address or prefix"},
      {"192.0.2", "is not an address or prefix"},
      {"192.0.2.256", "is not an address or prefix"},
      {"[2001:db8::1]", "is not an address or prefix"},
      {"fe80::1%eth0", "is not an address or prefix"},
  };
  for (const auto& [text, message] : cases) {
    const auto cidr = Cidr::parse(text);
    ASSERT_FALSE(cidr) << text;
    EXPECT_THAT(cidr.error().message, HasSubstr(message)) << text;
    EXPECT_EQ(cidr.error().kind, Error::Kind::usage);
  }
}

}  // namespace
}  // namespace xdpflowd

// SPDX-License-Identifier: GPL-2.0-or-later
#include "flow/record.h"

#include <nlohmann/json.hpp>

#include "unit/flows.h"

namespace xdpflowd {
namespace {

using Json = nlohmann::ordered_json;
using test::key_of;
using test::second_ns;
using test::status_of;

// 2024-02-29T12:00:00Z, at which the machine had been up for a minute.
constexpr int64_t noon_ns = 1'709'208'000'000'000'000;
constexpr int64_t offset_ns = noon_ns - 60 * static_cast<int64_t>(second_ns);

xf_record sample_record() {
  xf_record record{};
  record.key = key_of(IPPROTO_TCP, "2001:db8::1", 40000, "2001:db8::2", 443);
  record.status =
      status_of(XF_STATE_TIME_WAIT, XF_TIMEOUT_TCP_TIME_WAIT, XF_FLOW_ESTABLISHED | XF_FLOW_REPLIED);
  record.forward = {10, 1000};
  record.reverse = {20, UINT64_MAX};
  record.icmp_errors = 2;
  record.created_ns = 60 * second_ns + 1;
  record.last_seen_ns = 61 * second_ns;
  record.ended_ns = 63 * second_ns + 42;
  record.reason = XF_REASON_CLOSED;
  return record;
}

Json parsed(const xf_record& record) {
  return Json::parse(record_json(record, "default", offset_ns));
}

TEST(Record, HasItsNamesInTheirOrder) {
  const Json json = parsed(sample_record());
  std::string names;
  for (const auto& [name, value] : json.items()) names += name + " ";
  EXPECT_EQ(
      names,
      "zone protocol source source_port destination destination_port state table direction packets_forward "
      "bytes_forward packets_reverse bytes_reverse icmp_errors start end duration_seconds reason ");
}

TEST(Record, SaysWhoTalkedAndHowMuch) {
  const Json json = parsed(sample_record());
  EXPECT_EQ(json["zone"], "default");
  EXPECT_EQ(json["protocol"], "tcp");
  EXPECT_EQ(json["source"], "2001:db8::1");
  EXPECT_EQ(json["source_port"], 40000);
  EXPECT_EQ(json["destination"], "2001:db8::2");
  EXPECT_EQ(json["destination_port"], 443);
  EXPECT_EQ(json["state"], "TIME_WAIT");
  EXPECT_EQ(json["table"], "established");
  EXPECT_EQ(json["direction"], "both");
  EXPECT_EQ(json["packets_forward"], 10);
  EXPECT_EQ(json["bytes_forward"], 1000);
  EXPECT_EQ(json["packets_reverse"], 20);
  EXPECT_EQ(json["bytes_reverse"], UINT64_MAX);
  EXPECT_EQ(json["icmp_errors"], 2);
}

TEST(Record, SaysWhenAndWhyItEnded) {
  const Json json = parsed(sample_record());
  EXPECT_EQ(json["start"], "2024-02-29T12:00:00.000000001Z");
  EXPECT_EQ(json["end"], "2024-02-29T12:00:03.000000042Z");
  EXPECT_EQ(json["duration_seconds"].dump(), "3.000000041");
  EXPECT_EQ(json["reason"], "closed");
}

TEST(Record, IsOneLine) {
  EXPECT_EQ(record_json(sample_record(), "default", offset_ns).find('\n'), std::string::npos);
}

TEST(Record, HasAWordForEachReason) {
  const std::pair<xf_reason, std::string> words[] = {{XF_REASON_IDLE, "idle"},
                                                     {XF_REASON_CLOSED, "closed"},
                                                     {XF_REASON_RESET, "reset"},
                                                     {XF_REASON_REPLACED, "replaced"},
                                                     {XF_REASON_FLUSHED, "flushed"}};
  for (const auto& [reason, word] : words) {
    xf_record record = sample_record();
    record.reason = reason;
    EXPECT_EQ(parsed(record)["reason"], word);
  }
}

TEST(Record, EndedBeforeItBeganByAnotherCpusClockLastsNoTime) {
  xf_record record = sample_record();
  record.ended_ns = record.created_ns - 5;
  const Json json = parsed(record);
  EXPECT_EQ(json["duration_seconds"], 0);
  EXPECT_EQ(json["end"], json["start"]);
}

TEST(Rfc3339, KeepsEveryNanosecondAndKnowsTheCalendar) {
  const std::pair<int64_t, std::string> times[] = {
      {0, "1970-01-01T00:00:00.000000000Z"},
      {999'999'999, "1970-01-01T00:00:00.999999999Z"},
      {951'782'399'000'000'000, "2000-02-28T23:59:59.000000000Z"},
      {951'782'400'000'000'000, "2000-02-29T00:00:00.000000000Z"},
      {1'735'689'599'123'456'789, "2024-12-31T23:59:59.123456789Z"},
      {-1, "1969-12-31T23:59:59.999999999Z"},  // a clock that was never set
  };
  for (const auto& [time_ns, text] : times) EXPECT_EQ(rfc3339(time_ns), text);
}

}  // namespace
}  // namespace xdpflowd

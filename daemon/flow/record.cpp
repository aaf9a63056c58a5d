// SPDX-License-Identifier: GPL-2.0-or-later
#include "flow/record.h"

#include <algorithm>
#include <chrono>

#include "flow/decode.h"
#include "flow/json_object.h"
#include "flow/names.h"

namespace xdpflowd {
namespace {

void put_digits(char* to, int count, uint64_t value) {
  for (int i = count - 1; i >= 0; --i, value /= 10) to[i] = static_cast<char>('0' + value % 10);
}

}  // namespace

// By hand, because gmtime_r() and snprintf() cost more than the rest of a record.
std::string rfc3339(int64_t unix_ns) {
  using namespace std::chrono;
  const sys_time<nanoseconds> time{nanoseconds(unix_ns)};
  const auto day = floor<days>(time);
  const year_month_day date(day);
  const hh_mm_ss clock(time - day);

  std::string text = "0000-00-00T00:00:00.000000000Z";
  put_digits(&text[0], 4, static_cast<uint64_t>(static_cast<int>(date.year())));
  put_digits(&text[5], 2, static_cast<unsigned>(date.month()));
  put_digits(&text[8], 2, static_cast<unsigned>(date.day()));
  put_digits(&text[11], 2, static_cast<uint64_t>(clock.hours().count()));
  put_digits(&text[14], 2, static_cast<uint64_t>(clock.minutes().count()));
  put_digits(&text[17], 2, static_cast<uint64_t>(clock.seconds().count()));
  put_digits(&text[20], 9, static_cast<uint64_t>(clock.subseconds().count()));
  return text;
}

std::string record_json(const xf_record& record, std::string_view zone, int64_t realtime_offset_ns) {
  Conversation conversation = decode_conversation(record.key, record.status);
  conversation.zone = zone;
  conversation.forward = record.forward;
  conversation.reverse = record.reverse;
  conversation.icmp_errors = record.icmp_errors;

  // Two CPUs stamped them: the end may seem to come first.
  const auto start_ns = static_cast<int64_t>(record.created_ns);
  const auto end_ns = std::max(start_ns, static_cast<int64_t>(record.ended_ns));

  std::string line;
  line.reserve(512);
  JsonObject object(line);
  append_identity(object, conversation);
  append_counters(object, conversation);
  object.text("start", rfc3339(start_ns + realtime_offset_ns));
  object.text("end", rfc3339(end_ns + realtime_offset_ns));
  object.seconds("duration_seconds", end_ns - start_ns);
  object.text("reason", name_in(reason_names, record.reason));
  object.close();
  return line;
}

}  // namespace xdpflowd

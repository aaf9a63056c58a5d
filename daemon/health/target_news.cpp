// SPDX-License-Identifier: GPL-2.0-or-later
#include "health/target_news.h"

#include <fmt/core.h>

#include "flow/json_object.h"
#include "flow/record.h"

namespace xdpflowd {
namespace {

constexpr double us_ns = 1e3, ms_ns = 1e6, second_ns = 1e9;

void append_seconds(JsonObject& object, std::string_view key, std::optional<uint64_t> nanoseconds) {
  if (!nanoseconds) return object.null(key);
  object.seconds(key, static_cast<int64_t>(*nanoseconds));
}

std::string lateness_text(uint64_t nanoseconds) {
  const auto value = static_cast<double>(nanoseconds);
  if (value < ms_ns) return fmt::format("{:.0f} us", value / us_ns);
  if (value < second_ns) return fmt::format("{:.1f} ms", value / ms_ns);
  return fmt::format("{:.1f} s", value / second_ns);
}

/// Always in milliseconds, as ping(8) has it.
std::string rtt_text(uint64_t nanoseconds) {
  const double value_ms = static_cast<double>(nanoseconds) / ms_ns;
  return value_ms < 0.1 ? fmt::format("{:.3f} ms", value_ms) : fmt::format("{:.1f} ms", value_ms);
}

std::string who(const TargetNews& news) {
  const std::string port = news.port == 0 ? "" : fmt::format(" port {}", news.port);
  return fmt::format("target {} ({}, {}{})", news.name, news.address, news.probe, port);
}

std::string why(const TargetNews& news) {
  if (news.forced) return news.reason + ", forced by xdpflowctl targets set";
  if (news.after == TargetState::up && news.rtt_ns) return news.reason + " in " + rtt_text(*news.rtt_ns);
  if (news.lateness_ns)
    return news.reason + ", decided " + lateness_text(*news.lateness_ns) + " after the missed deadline";
  return news.reason;
}

}  // namespace

std::string_view target_state_name(TargetState state) {
  switch (state) {
    case TargetState::up:
      return "up";
    case TargetState::down:
      return "down";
    case TargetState::unknown:
      break;
  }
  return "unknown";
}

namespace {

std::string json(std::string_view event, const TargetNews& news) {
  std::string line;
  line.reserve(384);
  JsonObject object(line);
  object.text("event", event);
  object.text("time", rfc3339(news.unix_ns));
  object.escaped("name", news.name);
  object.escaped("address", news.address);
  object.escaped("probe", news.probe);
  object.number("port", news.port);
  object.text("old", target_state_name(news.before));
  object.text("new", target_state_name(news.after));
  object.escaped("reason", news.reason);
  object.boolean("forced", news.forced);
  append_seconds(object, "rtt_seconds", news.rtt_ns);
  append_seconds(object, "lateness_seconds", news.lateness_ns);
  object.close();
  return line;
}

}  // namespace

std::string news_json(const TargetNews& news) {
  return json("target", news);
}

std::string state_json(const TargetNews& news) {
  return json("state", news);
}

std::string news_line(const TargetNews& news) {
  return fmt::format("{}: {} -> {}: {}", who(news), target_state_name(news.before),
                     target_state_name(news.after), why(news));
}

}  // namespace xdpflowd

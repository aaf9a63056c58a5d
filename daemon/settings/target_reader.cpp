// SPDX-License-Identifier: GPL-2.0-or-later
#include "settings/target_reader.h"

#include <algorithm>
#include <string>
#include <tuple>
#include <utility>

#include "settings/duration.h"
#include "settings/suggestion.h"
#include "settings/target_values.h"

namespace xdpflowd {
namespace {

using namespace std::chrono_literals;

constexpr DurationRange interval_range{.least = 1ms, .most = 1h};
constexpr DurationRange jitter_range{.least = 0s, .most = 1h};
constexpr IntegerRange port_range{.least = 0, .most = 65'535};
constexpr IntegerRange count_range{.least = 1, .most = 1000};
constexpr IntegerRange weight_range{.least = 0, .most = 65'535};
constexpr size_t words_max = 64;  // of on_change

Status read_hook(const TomlValue& value, std::vector<std::string>& out) {
  auto elements = value.elements(words_max, "[\"/usr/local/bin/notify\", \"argument\"]");
  if (!elements) return elements.error();
  for (const TomlValue& element : *elements) {
    auto* const parse = out.empty() ? parse_program : parse_argument;
    std::string word;
    if (auto status = element.read(word, parse, "/usr/local/bin/notify"); !status) return status;
    out.push_back(std::move(word));
  }
  return ok();
}

template <class Out>
TomlKey text_key(std::string_view name, Out& out, Result<Out> (*parse)(std::string_view),
                 std::string_view example) {
  return {name, [&out, parse, example](const TomlValue& value) { return value.read(out, parse, example); }};
}

TomlKey duration_key(std::string_view name, std::chrono::nanoseconds& out, const DurationRange& range) {
  const auto parse = [&range](std::string_view text) { return parse_duration_within(text, range); };
  return {name, [&out, parse](const TomlValue& value) { return value.read(out, parse, "1s"); }};
}

template <class Number>
TomlKey number_key(std::string_view name, Number& out, const IntegerRange& range) {
  return {name, [&out, &range](const TomlValue& value) { return value.read(out, range); }};
}

std::vector<TomlKey> keys_of(TargetSettings& out) {
  return {
      text_key("name", out.name, parse_target_name, "gw-a"),
      text_key("address", out.address, parse_address, "192.0.2.1"),
      text_key("probe", out.probe, parse_probe_kind, "icmp"),
      number_key("port", out.port, port_range),
      duration_key("interval", out.interval, interval_range),
      duration_key("timeout", out.timeout, interval_range),
      duration_key("down_interval", out.down_interval, interval_range),
      duration_key("jitter", out.jitter, jitter_range),
      number_key("fall", out.fall, count_range),
      number_key("rise", out.rise, count_range),
      text_key("initial", out.initial, parse_initial_state, "unknown"),
      text_key("source", out.source, parse_source, "192.0.2.2"),
      text_key("interface", out.interface, parse_egress, "eth0"),
      text_key("description", out.description, parse_description, "first upstream"),
      number_key("weight", out.weight, weight_range),
      text_key("on_refused", out.refused_is_up, parse_on_refused, "down"),
      text_key("payload", out.payload, parse_payload, "ping"),
      text_key("payload_hex", out.payload, parse_payload_hex, "0a1b"),
      text_key("expect", out.expect, parse_expect, "pong"),
      text_key("expect_hex", out.expect, parse_expect_hex, "0a1b"),
      {"on_change", [&out](const TomlValue& value) { return read_hook(value, out.on_change); }},
  };
}

Error refuse(const TomlTable& table, std::string_view key, const std::string& problem) {
  return table.place_of(key).error("target." + std::string(key) + ": " + problem);
}

Status check_presence(const TargetSettings& target, const TomlTable& table) {
  if (target.name.empty()) {
    return table.place().error("[[target]] has no name; write name = \"gw-a\" or what you call it");
  }
  if (target.address.empty()) {
    return table.place().error("[[target]] " + in_quotes(target.name) +
                               " has no address; write address = \"192.0.2.1\" or what is to be probed");
  }
  return ok();
}

Status check_port(const TargetSettings& target, const TomlTable& table) {
  const std::string probe(word_of(target.probe));
  const bool has_ports = target.probe == ProbeKind::tcp || target.probe == ProbeKind::udp;
  if (has_ports && target.port == 0) {
    return refuse(table, "port", "a " + probe + " probe needs one; write port = 1 to 65535");
  }
  if (!has_ports && target.port != 0) {
    return refuse(table, "port",
                  "a probe by " + probe + " has none; remove it, or write probe = \"tcp\" or \"udp\"");
  }
  return ok();
}

/// A key that says what is so anyway may stand at every kind of probe.
Status check_kind(const TargetSettings& target, const TomlTable& table) {
  const auto only_for = [&](std::string_view key, const std::string& kind) {
    return refuse(table, key,
                  "is only for probe = \"" + kind + "\", and this one is \"" +
                      std::string(word_of(target.probe)) + "\"; remove it, or write probe = \"" + kind +
                      "\"");
  };
  if (target.refused_is_up && target.probe != ProbeKind::tcp) return only_for("on_refused", "tcp");
  for (const auto& [text, hex, bytes] : {std::tuple("payload", "payload_hex", &target.payload),
                                         std::tuple("expect", "expect_hex", &target.expect)}) {
    if (table.has(text) && table.has(hex)) {
      return refuse(table, hex,
                    "says the same as " + std::string(text) + " in line " +
                        std::to_string(table.place_of(text).line) + "; write one of them");
    }
    if (!bytes->empty() && target.probe != ProbeKind::udp) {
      return only_for(table.has(hex) ? hex : text, "udp");
    }
  }
  return ok();
}

Status check_timing(const TargetSettings& target, const TomlTable& table) {
  const std::string timeout = format_duration(target.timeout);
  if (target.timeout > target.interval) {
    const std::string interval = format_duration(target.interval);
    return refuse(table, "timeout",
                  in_quotes(timeout) + " is longer than the interval, " + in_quotes(interval) +
                      "; write at most " + in_quotes(interval) + ", or a longer interval");
  }
  if (target.timeout > target.down_interval) {
    return refuse(table, "down_interval",
                  in_quotes(format_duration(target.down_interval)) + " is shorter than the timeout, " +
                      in_quotes(timeout) + "; write at least " + in_quotes(timeout) +
                      ", or a shorter timeout");
  }
  return ok();
}

Status check_way(const TargetSettings& target, const TomlTable& table) {
  if (is_ipv6_link_local(target.address) && target.interface.empty()) {
    return refuse(table, "address",
                  in_quotes(target.address) +
                      " is link-local, so it says nothing without a link; add interface = \"eth0\" or what "
                      "the link is called");
  }
  if (is_ipv6_link_local(target.address) && target.probe != ProbeKind::arp) {
    return refuse(
        table, "address",
        in_quotes(target.address) +
            " is link-local, and the kernel routes no such probe for us; write probe = \"arp\", or an "
            "address that is routed");
  }
  if (target.source.empty()) return ok();
  if (is_ipv6(target.source) != is_ipv6(target.address)) {
    return refuse(table, "source",
                  in_quotes(target.source) + " and the address " + in_quotes(target.address) +
                      " are of different families; write both as IPv4 or both as IPv6");
  }
  if (target.source == target.address) {
    return refuse(table, "source",
                  in_quotes(target.source) + " is the target's own address; write one of this machine");
  }
  return ok();
}

}  // namespace

TargetReader::TargetReader() : keys_(keys_of(target_)) {}

Result<TargetSettings> TargetReader::read(const TomlTable& table) {
  target_ = {};
  if (auto status = table.read(keys_); !status) return status.error();
  fill_in_defaults(table);
  for (const auto check : {check_presence, check_port, check_kind, check_timing, check_way}) {
    if (auto status = check(target_, table); !status) return status.error();
  }
  return std::move(target_);
}

void TargetReader::fill_in_defaults(const TomlTable& table) {
  if (!table.has("timeout")) target_.timeout = std::min(target_.timeout, target_.interval);
  if (!table.has("down_interval")) target_.down_interval = target_.interval;
  if (!table.has("jitter")) target_.jitter = target_.interval;
}

}  // namespace xdpflowd

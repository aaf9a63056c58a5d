// SPDX-License-Identifier: GPL-2.0-or-later
#include "settings/values.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <sys/un.h>

#include <algorithm>
#include <charconv>

#include "settings/settings.h"
#include "settings/suggestion.h"
#include "settings/words.h"

namespace xdpflowd {
namespace {

constexpr Words<LogLevel, 5> log_levels{{{"trace", LogLevel::trace},
                                         {"debug", LogLevel::debug},
                                         {"info", LogLevel::info},
                                         {"warn", LogLevel::warn},
                                         {"error", LogLevel::error}}};
constexpr Words<DispatcherPolicy, 3> dispatcher_policies{{{"auto", DispatcherPolicy::automatic},
                                                          {"require", DispatcherPolicy::require},
                                                          {"off", DispatcherPolicy::off}}};
constexpr Words<AttachMode, 3> attach_modes{
    {{"auto", AttachMode::automatic}, {"native", AttachMode::native}, {"generic", AttachMode::generic}}};

/// The first component of which `matches` is true, or "".
template <class Predicate>
std::string_view find_component(std::string_view path, Predicate matches) {
  while (!path.empty()) {
    const std::string_view component = path.substr(0, path.find('/'));
    if (matches(component)) return component;
    path.remove_prefix(std::min(component.size() + 1, path.size()));
  }
  return {};
}

Status check_path(std::string_view text, size_t longest, const std::string& advice) {
  if (!text.starts_with('/')) return usage_error(in_quotes(text) + " is not an absolute path; " + advice);
  if (has_control(text)) return usage_error(in_quotes(text) + " has a control character in it; " + advice);
  const auto too_long = [](std::string_view component) { return component.size() > NAME_MAX; };
  if (text.size() > longest || !find_component(text, too_long).empty()) {
    return usage_error(in_quotes(text) + " is too long for a path; " + advice);
  }
  return ok();
}

bool is_numeric_host(std::string_view host) {
  in6_addr address{};
  if (host.size() > 2 && host.starts_with('[') && host.ends_with(']')) {
    return inet_pton(AF_INET6, std::string(host.substr(1, host.size() - 2)).c_str(), &address) == 1;
  }
  return inet_pton(AF_INET, std::string(host).c_str(), &address) == 1;
}

bool is_port(std::string_view text) {
  uint16_t port = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, port);
  return error == std::errc() && rest == end;
}

const char* interface_name_problem(std::string_view name) {
  if (name.size() >= IFNAMSIZ && !is_pattern(name)) return "is longer than the 15 bytes of an interface name";
  if (name == "." || name == "..") return "cannot be the name of an interface";
  // The kernel takes the byte 0xa0, Latin-1's no-break space, for a blank.
  if (name.find_first_of("/: \xa0") != std::string_view::npos || has_control(name)) {
    return "has a character that no interface name has (blank, '/', ':')";
  }
  return nullptr;
}

}  // namespace

Result<std::string> parse_file_path(std::string_view text, const std::string& advice, size_t longest) {
  if (auto path = check_path(text, longest, advice); !path) return path.error();
  if (text.ends_with('/')) return usage_error(in_quotes(text) + " is a folder; " + advice);
  return std::string(text);
}

Result<LogLevel> parse_log_level(std::string_view text) {
  return parse_word(text, "a log level", log_levels);
}

Result<DispatcherPolicy> parse_dispatcher(std::string_view text) {
  return parse_word(text, "a way to use libxdp's dispatcher", dispatcher_policies);
}

Result<AttachMode> parse_attach_mode(std::string_view text) {
  return parse_word(text, "an XDP mode", attach_modes);
}

std::string_view word_of(LogLevel level) {
  return word_for(level, log_levels);
}

std::string_view word_of(DispatcherPolicy policy) {
  return word_for(policy, dispatcher_policies);
}

std::string_view word_of(AttachMode mode) {
  return word_for(mode, attach_modes);
}

Result<std::string> parse_state_dir(std::string_view text) {
  static const std::string advice = "write a folder below a bpffs, such as \"/sys/fs/bpf/xdpflowd\"";
  constexpr size_t room_for_pins = NAME_MAX + 1;
  if (auto path = check_path(text, PATH_MAX - 1 - room_for_pins, advice); !path) return path.error();
  while (text.ends_with('/')) text.remove_suffix(1);
  if (text.empty()) return usage_error("\"/\" cannot be a bpffs; " + advice);
  const auto has_dot = [](std::string_view component) {
    return component.find('.') != std::string_view::npos;
  };
  if (const auto dotted = find_component(text, has_dot); !dotted.empty()) {
    return usage_error(in_quotes(text) + " has a dot in " + in_quotes(dotted) + ", which bpffs refuses; " +
                       advice);
  }
  return std::string(text);
}

Result<std::string> parse_records_file(std::string_view text) {
  if (text.empty()) return std::string();
  return parse_file_path(text,
                         "write a file such as \"/var/log/xdpflowd/records.json\", or \"\" for no records");
}

Result<std::string> parse_events_socket(std::string_view text) {
  if (text.empty()) return std::string();
  return parse_file_path(text, "write a path such as \"/run/xdpflowd/events.sock\", or \"\" for no stream",
                         sizeof(sockaddr_un::sun_path) - 1);
}

Result<std::string> parse_user_name(std::string_view text) {
  constexpr size_t longest = 255;
  const bool foreign = text.find_first_of(":/, ") != std::string_view::npos || has_control(text);
  if (text.starts_with('-') || foreign || text.size() > longest) {
    return usage_error(
        in_quotes(text) +
        " cannot be a user's name; write one that \"getent passwd\" shows, such as \"nobody\", "
        "or \"\" for the daemon's own");
  }
  return std::string(text);
}

Result<std::string> parse_listen(std::string_view text) {
  if (text.empty()) return std::string();
  const size_t colon = text.rfind(':');
  const bool complete = colon != std::string_view::npos && text.find('\0') == std::string_view::npos;
  if (complete && is_numeric_host(text.substr(0, colon)) && is_port(text.substr(colon + 1))) {
    return std::string(text);
  }
  return usage_error(
      in_quotes(text) +
      " is not a numeric address and a port; write \"127.0.0.1:9742\", \"[::1]:9742\", or \"\" "
      "to turn metrics off");
}

Result<std::string> parse_device_name(std::string_view text, const std::string& advice) {
  if (text.empty()) return usage_error("the name is empty; " + advice);
  if (const char* problem = interface_name_problem(text)) {
    return usage_error(in_quotes(text) + " " + problem + "; " + advice);
  }
  return std::string(text);
}

Result<std::string> parse_interface_name(std::string_view text) {
  return parse_device_name(
      text, "write the name that \"ip link\" shows, such as \"eth0\", or a pattern such as \"eth*\"");
}

Result<std::string> parse_zone_name(std::string_view text) {
  constexpr size_t longest = 32;
  static_assert(longest < XF_ZONE_NAME_SIZE);
  static constexpr const char* allowed = "abcdefghijklmnopqrstuvwxyz0123456789_-";
  if (text.empty() || text.size() > longest || text.find_first_not_of(allowed) != std::string_view::npos) {
    return usage_error(in_quotes(text) + " is not a zone name; write 1 to 32 of a-z, 0-9, '_' and '-'");
  }
  return std::string(text);
}

}  // namespace xdpflowd

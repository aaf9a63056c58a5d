// SPDX-License-Identifier: GPL-2.0-or-later
#include "settings/difference.h"

#include <algorithm>
#include <string_view>

#include "flow/names.h"
#include "settings/duration.h"
#include "settings/values.h"

namespace xdpflowd {
namespace {

const std::string none = "none";

std::string quoted(std::string_view text) {
  return '"' + std::string(text) + '"';
}

class Changes {
 public:
  void note(Setting setting, const std::string& key, const std::string& before, const std::string& after) {
    if (before != after) found_.push_back({setting, key, before, after});
  }
  std::vector<Change> take() { return std::move(found_); }

 private:
  std::vector<Change> found_;
};

void compare_sections(Changes& changes, const Settings& running, const Settings& wanted) {
  const auto& [old_level, old_dir, old_dispatcher] = running.daemon;
  const auto& [level, dir, dispatcher] = wanted.daemon;
  changes.note(Setting::log_level, "daemon.log_level", quoted(word_of(old_level)), quoted(word_of(level)));
  changes.note(Setting::state_dir, "daemon.state_dir", quoted(old_dir), quoted(dir));
  changes.note(Setting::dispatcher, "daemon.dispatcher", quoted(word_of(old_dispatcher)),
               quoted(word_of(dispatcher)));
  changes.note(Setting::metrics_listen, "metrics.listen", quoted(running.metrics.listen),
               quoted(wanted.metrics.listen));
  changes.note(Setting::records_file, "records.file", quoted(running.records.file),
               quoted(wanted.records.file));
  for (size_t i = 0; i < XF_TIMEOUTS; ++i)
    changes.note(Setting::timeout, "timeouts." + std::string(timeout_names[i]),
                 format_duration(running.timeouts[i]), format_duration(wanted.timeouts[i]));
}

/// Calls `compare(old or nullptr, new or nullptr)` for every pair of elements with the same identity: first
/// those that were there, then new ones.
template <class Element, class Same, class Compare>
void compare_lists(const std::vector<Element>& running, const std::vector<Element>& wanted, Same same,
                   Compare compare) {
  const auto partner = [&](const Element& element, const std::vector<Element>& others) {
    const auto found =
        std::ranges::find_if(others, [&](const Element& other) { return same(element, other); });
    return found == others.end() ? nullptr : &*found;
  };
  for (const auto& element : running) compare(&element, partner(element, wanted));
  for (const auto& element : wanted)
    if (!partner(element, running)) compare(static_cast<const Element*>(nullptr), &element);
}

std::string words_for(const ZoneSettings* zone) {
  if (!zone) return none;
  return "max_flows " + std::to_string(zone->max_flows) + ", max_half_open " +
         std::to_string(zone->max_half_open);
}

void compare_zones(Changes& changes, const ZoneSettings* before, const ZoneSettings* after) {
  const std::string key = "zone." + (before ? before : after)->name;
  if (!before || !after) return changes.note(Setting::zone, key, words_for(before), words_for(after));
  const auto number = [&](Setting setting, const char* name, uint32_t ZoneSettings::*field) {
    changes.note(setting, key + name, std::to_string(before->*field), std::to_string(after->*field));
  };
  number(Setting::zone_size, ".max_flows", &ZoneSettings::max_flows);
  number(Setting::zone_size, ".max_half_open", &ZoneSettings::max_half_open);
  number(Setting::promote_packets, ".promote_packets", &ZoneSettings::promote_packets);
}

std::string words_for(const InterfaceSettings* interface) {
  if (!interface) return none;
  return "zone " + quoted(interface->zone) + ", mode " + quoted(word_of(interface->mode));
}

void compare_interfaces(Changes& changes, const InterfaceSettings* before, const InterfaceSettings* after) {
  const auto& either = *(before ? before : after);
  const std::string vlan = either.vlan ? " vlan " + std::to_string(*either.vlan) : "";
  changes.note(Setting::interface, "interface " + either.name + vlan, words_for(before), words_for(after));
}

}  // namespace

bool applies_live(Setting setting) {
  switch (setting) {
    case Setting::log_level:
    case Setting::metrics_listen:
    case Setting::records_file:
    case Setting::timeout:
    case Setting::promote_packets:
    case Setting::zone:
    case Setting::zone_size:
    case Setting::interface:
      return true;
    case Setting::state_dir:
    case Setting::dispatcher:
      break;
  }
  return false;
}

std::string text_of(const Change& change) {
  return change.key + ": " + change.before + " -> " + change.after;
}

std::vector<Change> difference(const Settings& running, const Settings& wanted) {
  Changes changes;
  compare_sections(changes, running, wanted);
  compare_lists(
      running.zones, wanted.zones, [](const auto& a, const auto& b) { return a.name == b.name; },
      [&](const auto* before, const auto* after) { compare_zones(changes, before, after); });
  compare_lists(
      running.interfaces, wanted.interfaces,
      [](const auto& a, const auto& b) { return a.name == b.name && a.vlan == b.vlan; },
      [&](const auto* before, const auto* after) { compare_interfaces(changes, before, after); });
  return changes.take();
}

}  // namespace xdpflowd

// SPDX-License-Identifier: GPL-2.0-or-later
#include "settings/difference.h"

#include <map>
#include <string_view>
#include <utility>

#include "flow/names.h"
#include "settings/duration.h"
#include "settings/target_words.h"
#include "settings/values.h"

namespace xdpflowd {
namespace {

const std::string none = "none";

std::string quoted(std::string_view text) {
  return '"' + std::string(text) + '"';
}

const char* true_or_false(bool value) {
  return value ? "true" : "false";
}

class Changes {
 public:
  void note(Setting setting, const std::string& key, const std::string& before, const std::string& after) {
    if (before != after) add(setting, key, before, after);
  }
  void add(Setting setting, const std::string& key, const std::string& before, const std::string& after) {
    found_.push_back({setting, key, before, after});
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
  changes.note(Setting::per_target_histograms, "metrics.per_target_histograms",
               true_or_false(running.metrics.per_target_histograms),
               true_or_false(wanted.metrics.per_target_histograms));
  changes.note(Setting::records_file, "records.file", quoted(running.records.file),
               quoted(wanted.records.file));
  for (size_t i = 0; i < XF_TIMEOUTS; ++i)
    changes.note(Setting::timeout, "timeouts." + std::string(timeout_names[i]),
                 format_duration(running.timeouts[i]), format_duration(wanted.timeouts[i]));
}

void compare_health(Changes& changes, const HealthSettings& running, const HealthSettings& wanted) {
  changes.note(Setting::health_events, "health.events", quoted(running.events), quoted(wanted.events));
  changes.note(Setting::health_hooks, "health.hook_user", quoted(running.hook_user),
               quoted(wanted.hook_user));
  changes.note(Setting::health_hooks, "health.hook_timeout", format_duration(running.hook_timeout),
               format_duration(wanted.hook_timeout));
}

/// Calls `compare(either, old or nullptr, new or nullptr)` for every pair of elements with the same identity:
/// first those that were there, then new ones.
template <class Element, class Identity, class Compare>
void compare_lists(const std::vector<Element>& running, const std::vector<Element>& wanted, Identity identity,
                   Compare compare) {
  std::map<decltype(identity(running[0])), std::pair<const Element*, const Element*>> pairs;
  for (const auto& element : running) pairs[identity(element)].first = &element;
  for (const auto& element : wanted) pairs[identity(element)].second = &element;
  for (const auto& element : running) compare(element, &element, pairs[identity(element)].second);
  for (const auto& element : wanted) {
    const Element* const before = pairs[identity(element)].first;
    if (!before) compare(element, before, &element);
  }
}

std::string words_for(const ZoneSettings* zone) {
  if (!zone) return none;
  return "max_flows " + std::to_string(zone->max_flows) + ", max_half_open " +
         std::to_string(zone->max_half_open);
}

void compare_zones(Changes& changes, const ZoneSettings& either, const ZoneSettings* before,
                   const ZoneSettings* after) {
  const std::string key = "zone." + either.name;
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

void compare_interfaces(Changes& changes, const InterfaceSettings& either, const InterfaceSettings* before,
                        const InterfaceSettings* after) {
  const std::string vlan = either.vlan ? " vlan " + std::to_string(*either.vlan) : "";
  changes.note(Setting::interface, "interface " + either.name + vlan, words_for(before), words_for(after));
}

/// The words of one target of which `chosen(place in the list)` is true.
template <class Chosen>
std::string joined(const std::vector<TargetWord>& words, Chosen chosen) {
  std::string text;
  for (size_t i = 0; i < words.size(); ++i)
    if (chosen(i)) text += (text.empty() ? "" : ", ") + cut_short(words[i].text);
  return text;
}

std::string words_for(const TargetSettings* target) {
  if (!target) return none;
  const auto words = words_of(*target);
  return joined(words, [&](size_t i) {
    const auto key = words[i].key;
    return key == "address" || key == "probe" || key == "interval" || (key == "port" && target->port != 0);
  });
}

void compare_targets(Changes& changes, const TargetSettings& either, const TargetSettings* before,
                     const TargetSettings* after) {
  const std::string key = "target " + either.name;
  if (!before || !after) return changes.add(Setting::target, key, words_for(before), words_for(after));
  if (*before == *after) return;
  const auto old_words = words_of(*before), words = words_of(*after);
  const auto differs = [&](size_t i) { return !(old_words[i] == words[i]); };
  changes.add(Setting::target, key, joined(old_words, differs), joined(words, differs));
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
    case Setting::per_target_histograms:
    case Setting::health_events:
    case Setting::health_hooks:
    case Setting::target:
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
  const auto name_of = [](const auto& element) { return std::string_view(element.name); };
  compare_sections(changes, running, wanted);
  compare_health(changes, running.health, wanted.health);
  compare_lists(running.zones, wanted.zones, name_of,
                [&](const auto&... pair) { compare_zones(changes, pair...); });
  compare_lists(
      running.interfaces, wanted.interfaces,
      [&](const auto& interface) { return std::pair(name_of(interface), interface.vlan); },
      [&](const auto&... pair) { compare_interfaces(changes, pair...); });
  compare_lists(running.targets, wanted.targets, name_of,
                [&](const auto&... pair) { compare_targets(changes, pair...); });
  return changes.take();
}

}  // namespace xdpflowd

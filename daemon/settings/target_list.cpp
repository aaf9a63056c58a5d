// SPDX-License-Identifier: GPL-2.0-or-later
#include "settings/target_list.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <unordered_map>

#include "settings/suggestion.h"
#include "settings/target_reader.h"
#include "settings/target_values.h"
#include "settings/target_words.h"

namespace xdpflowd {
namespace {

/// What is asked of the one probe that several targets share.
constexpr std::array<std::string_view, 7> probe_keys{"interval", "timeout", "down_interval", "jitter",
                                                     "payload",  "expect",  "on_refused"};

bool same_probe(const TargetSettings& a, const TargetSettings& b) {
  return a.interval == b.interval && a.timeout == b.timeout && a.down_interval == b.down_interval &&
         a.jitter == b.jitter && a.payload == b.payload && a.expect == b.expect &&
         a.refused_is_up == b.refused_is_up;
}

/// No part of it has a blank.
std::string probe_identity(const TargetSettings& target) {
  return target.address + ' ' + std::string(word_of(target.probe)) + ' ' + std::to_string(target.port) + ' ' +
         target.source + ' ' + target.interface;
}

/// Borrows the targets that were added.
class Claims {
 public:
  Status add(const TargetSettings& target, const TomlTable& table) {
    if (auto status = add_name(target, table); !status) return status;
    return add_probe(target, table);
  }

 private:
  struct Probe {
    const TargetSettings* first;
    unsigned line;
    size_t users;
  };

  Status add_name(const TargetSettings& target, const TomlTable& table) {
    const FilePlace place = table.place_of("name");
    const auto [first, added] = lines_.try_emplace(target.name, place.line);
    if (added) return ok();
    return place.error("target: " + in_quotes(target.name) + " is already in line " +
                       std::to_string(first->second) + "; give each target a name of its own");
  }

  Status add_probe(const TargetSettings& target, const TomlTable& table) {
    const unsigned line = table.place_of("address").line;
    Probe& probe = probes_.try_emplace(probe_identity(target), Probe{&target, line, 0}).first->second;
    if (!same_probe(*probe.first, target)) return refuse_other_wishes(probe, target, table);
    if (++probe.users <= targets_per_probe_max) return ok();
    return table.place_of("address").error(
        "target: more than " + std::to_string(targets_per_probe_max) + " share the probe of " +
        in_quotes(probe.first->name) + " in line " + std::to_string(probe.line) +
        " (same address, probe, port, source and interface); remove this one");
  }

  static Error refuse_other_wishes(const Probe& probe, const TargetSettings& target, const TomlTable& table) {
    const auto theirs = words_of(*probe.first);
    const auto ours = words_of(target);
    size_t i = 0;
    while (ours[i] == theirs[i] || std::ranges::find(probe_keys, ours[i].key) == probe_keys.end()) ++i;
    const std::string key(ours[i].key);
    return table.place_of(table.has(key + "_hex") ? key + "_hex" : key)
        .error(
            "target: " + cut_short(ours[i].text) + ", but " + cut_short(theirs[i].text) + " of " +
            in_quotes(probe.first->name) + " in line " + std::to_string(probe.line) +
            ", with which it shares one probe (same address, probe, port, source and interface); write the "
            "same " +
            key + " in both");
  }

  std::unordered_map<std::string_view, unsigned> lines_;
  std::unordered_map<std::string, Probe> probes_;
};

}  // namespace

Result<std::vector<TargetSettings>> read_targets(const TomlValue& value) {
  auto tables = value.tables();
  if (!tables) return tables.error();
  if (tables->size() > targets_max) {
    return (*tables)[targets_max].place().error(std::to_string(tables->size()) +
                                                " targets are too many; at most " +
                                                std::to_string(targets_max) + " are possible");
  }
  TargetReader reader;
  Claims claims;
  std::vector<TargetSettings> targets;
  targets.reserve(tables->size());  // claims borrow
  for (const TomlTable& table : *tables) {
    auto target = reader.read(table);
    if (!target) return target.error();
    targets.push_back(std::move(*target));
    if (auto status = claims.add(targets.back(), table); !status) return status.error();
  }
  return targets;
}

}  // namespace xdpflowd

// SPDX-License-Identifier: GPL-2.0-or-later
#include <nlohmann/json.hpp>

#include "ctl/target_table.h"
#include "flow/decode.h"
#include "flow/names.h"

namespace xdpflowd {
namespace {

using Json = nlohmann::ordered_json;

Json seconds(uint64_t nanoseconds) {
  return static_cast<double>(nanoseconds) / 1e9;
}

/// A member of the round trip times, if there are any.
Json seconds_of(const std::optional<RoundTrips>& times, int64_t RoundTrips::*member) {
  return times ? seconds(static_cast<uint64_t>((*times).*member)) : Json(nullptr);
}

Json transitions_json(const xf_target& state) {
  Json object = Json::object();
  for (const auto health : {XF_HEALTH_UP, XF_HEALTH_DOWN, XF_HEALTH_UNKNOWN})
    object[std::string(health_names[health])] = state.transitions[health];
  return object;
}

void add_identity(Json& object, const Target& target) {
  std::string address;
  append_address(address, target.config.address);
  object["name"] = name_of(target);
  object["address"] = address;
  object["probe"] = name_in(probe_names, target.config.probe);
  object["port"] = port_of(target);
}

void add_health(Json& object, const Target& target, const Look& look) {
  const auto age_ns = state_age_ns(target, look);
  object["state"] = state_name(target);
  object["since_seconds"] = age_ns ? seconds(static_cast<uint64_t>(*age_ns)) : Json(nullptr);
  object["rtt_seconds"] = seconds_of(round_trips(target), &RoundTrips::last_ns);
  object["consecutive_failures"] = target.state.failures;
  object["probes_sent"] = probes_sent(target);
  object["probes_failed"] = probes_failed(target);
  object["consecutive_successes"] = target.state.successes;
  object["stale"] = is_stale(target, look);
  object["forced"] = is_forced(target);
  object["weight"] = target.config.weight;
  object["interval_seconds"] = seconds(target.config.interval_ns);
}

void add_history(Json& object, const Target& target) {
  const auto times = round_trips(target);
  const auto loss = loss_ratio(target);
  const std::string error = error_text(target);
  object["rtt_min_seconds"] = seconds_of(times, &RoundTrips::min_ns);
  object["rtt_avg_seconds"] = seconds_of(times, &RoundTrips::average_ns);
  object["rtt_max_seconds"] = seconds_of(times, &RoundTrips::max_ns);
  object["loss_ratio"] = loss ? Json(*loss) : Json(nullptr);
  object["last_error"] = error.empty() ? Json(nullptr) : Json(error);
  object["late"] = target.state.results[XF_RESULT_LATE];
  object["unresolved"] = target.state.results[XF_RESULT_UNRESOLVED];
  object["transitions"] = transitions_json(target.state);
}

std::string line_of(const Json& object) {
  return object.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

void write_target_array(std::ostream& out, std::span<const Target> targets, const Look& look, Lines lines) {
  const char* const separator = lines == Lines::one ? "" : "\n";
  out << '[';
  for (const Target& target : targets) {
    Json object;
    add_identity(object, target);
    add_health(object, target, look);
    add_history(object, target);
    if (!out) return;
    out << separator << line_of(object) << (&target == &targets.back() ? "" : ",");
  }
  out << (targets.empty() ? "" : separator) << "]\n";
}

std::string forced_answer(const Target& target, const Look& look, bool json) {
  if (!json) return std::string(name_of(target)) + ": " + state_text(target, look) + "\n";
  return line_of({{"name", name_of(target)}, {"state", state_name(target)}, {"forced", is_forced(target)}}) +
         "\n";
}

}  // namespace xdpflowd

// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/flow_json.h"

#include "flow/json_object.h"

namespace xdpflowd {
namespace {

void append_flow(std::string& out, const Flow& flow) {
  JsonObject object(out);
  append_identity(object, flow);
  object.text("timer", flow.timer_name());
  append_counters(object, flow);
  object.seconds("age_seconds", flow.age_ns);
  object.seconds("idle_seconds", flow.idle_ns);
  object.seconds("expires_in_seconds", flow.expires_in_ns);
  object.close();
}

}  // namespace

void write_flow_array(std::ostream& out, std::span<const Flow> flows) {
  constexpr size_t block = 65536;
  std::string lines = "[";
  for (const Flow& flow : flows) {
    lines += '\n';
    append_flow(lines, flow);
    if (&flow != &flows.back()) lines += ',';
    if (lines.size() < block) continue;
    out << lines;
    if (!out) return;
    lines.clear();
  }
  out << lines << (flows.empty() ? "]\n" : "\n]\n");
}

std::string number_answer(std::string_view name, uint64_t number, bool json) {
  std::string answer;
  if (!json) return std::to_string(number) + "\n";
  JsonObject object(answer);
  object.number(name, number);
  object.close();
  return answer + "\n";
}

}  // namespace xdpflowd

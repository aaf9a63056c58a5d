// SPDX-License-Identifier: GPL-2.0-or-later
#include "health_lab.h"

#include <stdexcept>

#include "foreign_program.h"

namespace xdpflowd::test {

std::string target(const std::string& name, const std::string& address, const std::string& more) {
  return "[[target]]\nname = \"" + name + "\"\naddress = \"" + address +
         "\"\ninterval = \"50ms\"\ntimeout = \"40ms\"\n" + more + "\n";
}

void cut_off(const Netns& server, const std::string& rule) {
  must_run(server.command({"nft", "-f", "-"}),
           "table inet cut {\n chain input {\n type filter hook input priority 0;\n " + rule + "\n }\n}\n");
}

Health::Health(const LabOptions& options) : DaemonLab(options) {
  // What XDP_TX sends into a veth arrives only if there is an XDP program at its other end.
  attach_foreign_program(lab.server, "server0");
}

Json Health::targets() const {
  return Json::parse(must_ctl({"targets", "--json"}));
}

Json Health::the_target(const std::string& name) const {
  for (const auto& each : targets())
    if (each.at("name") == name) return each;
  throw std::runtime_error("there is no target " + name);
}

std::string Health::state_of(const std::string& name) const {
  return the_target(name).at("state");
}

bool Health::turns(const std::string& name, const std::string& state) const {
  return eventually(patience, [&] { return state_of(name) == state; });
}

bool Health::fails_by(const std::string& name, const std::string& error) const {
  return eventually(patience, [&] { return the_target(name).at("last_error") == error; });
}

uint64_t Health::dropped() const {
  const Json rules = Json::parse(lab.server.must_run({"nft", "-j", "list", "table", "inet", "cut"}));
  for (const auto& each : rules.at("nftables"))
    if (each.contains("rule"))
      for (const auto& part : each["rule"].at("expr"))
        if (part.contains("counter")) return part["counter"].at("packets");
  return 0;
}

}  // namespace xdpflowd::test

// SPDX-License-Identifier: GPL-2.0-or-later
#include "forward_counters.h"

#include <nlohmann/json.hpp>

namespace xdpflowd::test {

ForwardCounters::ForwardCounters(const Netns& router, const std::map<std::string, std::string>& matches)
    : router_(router) {
  std::string objects, rules;
  for (const auto& [name, match] : matches) {
    objects.append("counter ").append(name).append(" { }\n");
    rules.append(match).append(" counter name ").append(name).append("\n");
  }
  must_run(router.command({"nft", "-f", "-"}), "table inet counted {\n" + objects +
                                                   "chain forward { type filter hook forward priority 0;\n" +
                                                   rules + "}\n}\n");
}

Counted ForwardCounters::read(const std::string& name) const {
  const auto answer =
      nlohmann::json::parse(router_.must_run({"nft", "-j", "list", "counter", "inet", "counted", name}));
  for (const auto& entry : answer.at("nftables"))
    if (entry.contains("counter")) return {entry["counter"].at("packets"), entry["counter"].at("bytes")};
  return {};
}

}  // namespace xdpflowd::test

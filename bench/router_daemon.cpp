// SPDX-License-Identifier: GPL-2.0-or-later
#include "router_daemon.h"

#include <bpf/bpf.h>
#include <algorithm>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <stdexcept>

namespace xdpflowd::bench {
namespace {

constexpr auto patience = std::chrono::seconds(30);

[[noreturn]] void give_up(const std::string& what) {
  throw std::runtime_error(what + ": " + std::strerror(errno));
}

std::string make_file() {
  std::string path = "/tmp/xf-bench-XXXXXX";
  const UniqueFd file(mkstemp(path.data()));
  if (!file) give_up("cannot make " + path);
  return path;
}

}  // namespace

RouterDaemon::RouterDaemon(const test::Netns& router, const TableSizes& sizes)
    : router_(router), config_(make_file()), config_made_(test::Undo::mount(config_)) {
  std::ofstream(config_) << "[daemon]\nstate_dir = \"" << bpffs_.state_dir() << "\"\ndispatcher = \"off\"\n"
                         << "[metrics]\nlisten = \"\"\n"
                         << "[zone.default]\nmax_flows = " << sizes.max_flows
                         << "\nmax_half_open = " << sizes.max_half_open
                         << "\n[[interface]]\nname = \"lan0\"\nmode = \"native\"\n"
                         << "[[interface]]\nname = \"wan0\"\nmode = \"native\"\n";
  daemon_.emplace(router_.command({XDPFLOWD, "--config", config_}));
  if (!daemon_->wait_for_output("is ready", patience))
    throw std::runtime_error("xdpflowd is not ready:\n" + daemon_->err() + daemon_->out());
}

UniqueFd RouterDaemon::program() const {
  UniqueFd program(bpf_obj_get((bpffs_.state_dir() + "/programs/xdpflow").c_str()));
  if (!program) give_up("cannot open xdpflowd's program");
  return program;
}

std::string RouterDaemon::ctl(const test::Argv& arguments) const {
  test::Argv argv = {XDPFLOWCTL, "--state-dir", bpffs_.state_dir()};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return router_.must_run(argv);
}

nlohmann::json RouterDaemon::flows(const test::Argv& filters) const {
  test::Argv arguments = {"flows", "--json"};
  arguments.insert(arguments.end(), filters.begin(), filters.end());
  return nlohmann::json::parse(ctl(arguments));
}

void RouterDaemon::check_timers() const {
  const auto status = nlohmann::json::parse(ctl({"status", "--json"}));
  const auto& zone = status.at("zones").at(0);
  const auto orphans = zone.at("orphans").get<uint64_t>(), half_open = zone.at("half_open").get<uint64_t>();
  const bool was_full = zone.at("evicted").at("half_open").get<uint64_t>() > 0;
  const auto without = orphans - (was_full ? std::min(orphans, half_open) : 0);
  if (without * 100 > zone.at("created").get<uint64_t>())
    throw std::runtime_error(std::to_string(without) + " flows have to live without a timer");
}

}  // namespace xdpflowd::bench

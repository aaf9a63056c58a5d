// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon_lab.h"

#include <sched.h>
#include <sys/mount.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>

#include "sockets.h"
#include "support/timers.h"

namespace xdpflowd::test {
namespace {

/// More than the flows of any test that needs exact timers.
constexpr size_t timers_needed = 50'000;
constexpr uint16_t metrics_port = 9742;

[[noreturn]] void give_up(const std::string& what) {
  throw std::runtime_error(what + ": " + std::strerror(errno));
}

std::string quoted(const std::string& text) {
  return "\"" + text + "\"";
}

std::string make_directory() {
  std::string path = "/tmp/xf-test-XXXXXX";
  if (mkdtemp(path.data()) == nullptr) give_up("cannot make " + path);
  return path;
}

Json parsed(const std::string& text) {
  return Json::parse(text);
}

}  // namespace

std::string read_file(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

PrivateMounts::PrivateMounts() {
  if (unshare(CLONE_NEWNS) != 0) give_up("unshare");
  if (mount("", "/sys", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) give_up("cannot make /sys private");
  // The host's own must not come to light where a test unmounts this one.
  while (umount2("/sys/fs/bpf", MNT_DETACH) == 0) {
  }
  if (mount("bpf", "/sys/fs/bpf", "bpf", 0, "mode=0700") != 0) give_up("cannot mount /sys/fs/bpf");
}

TemporaryFolder::TemporaryFolder() : path_(make_directory()), mounted_(Undo::mount(path_)) {
  if (mount("tmpfs", path_.c_str(), "tmpfs", 0, "mode=0755") != 0) give_up("cannot mount " + path_);
}

std::string interface(const std::string& name, const std::string& more) {
  return "[[interface]]\nname = \"" + name + "\"\n" + more + "\n";
}

DaemonLab::DaemonLab(const LabOptions& options) : lab(options) {
  if (auto primed = prime_timers(timers_needed); !primed) throw std::runtime_error(primed.error().message);
}

std::string DaemonLab::write_config(const DaemonConfig& config) const {
  std::string path = folder.file("xdpflowd.toml");
  std::ofstream file(path);
  file << "[daemon]\nstate_dir = " << quoted(config.state_dir.value_or(bpffs.state_dir())) << '\n'
       << config.daemon << "\n[metrics]\nlisten = " << quoted(config.listen)
       << "\n[records]\nfile = " << quoted(config.records.value_or(folder.file("records.jsonl"))) << '\n'
       << config.interfaces << config.rest << '\n';
  return path;
}

Argv DaemonLab::daemon_command(const DaemonConfig& config) const {
  return lab.router.command({XDPFLOWD, "--config", write_config(config)});
}

Background DaemonLab::start_daemon(const DaemonConfig& config) const {
  Background daemon(daemon_command(config));
  if (!daemon.wait_for_output("is ready", patience))
    throw std::runtime_error("the daemon is not ready:\n" + daemon.err() + daemon.out());
  return daemon;
}

Outcome DaemonLab::run_daemon(const DaemonConfig& config) const {
  return run(daemon_command(config), patience);
}

void DaemonLab::kill_daemon(Background& daemon) {
  daemon.signal(SIGKILL);
  if (daemon.wait(patience) != 128 + SIGKILL) throw std::runtime_error("the daemon was not killed");
}

int DaemonLab::stop_daemon(Background& daemon) {
  daemon.signal(SIGTERM);
  return daemon.wait(patience).value_or(-1);
}

Outcome DaemonLab::ctl(const Argv& arguments) const {
  Argv argv = {XDPFLOWCTL, "--state-dir", bpffs.state_dir()};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return lab.router.run(argv, patience);
}

std::string DaemonLab::must_ctl(const Argv& arguments) const {
  const Outcome outcome = ctl(arguments);
  if (outcome.status != 0) throw std::runtime_error("xdpflowctl: " + outcome.err);
  return outcome.out;
}

Json DaemonLab::flows(const Argv& filters) const {
  Argv arguments = {"flows", "--json"};
  arguments.insert(arguments.end(), filters.begin(), filters.end());
  return parsed(must_ctl(arguments));
}

Json DaemonLab::the_flow(const Argv& filters) const {
  const Json found = flows(filters);
  if (found.size() == 1) return found[0];
  throw std::runtime_error("there is not one such flow: " + found.dump(1));
}

size_t DaemonLab::count(const Argv& filters) const {
  Argv arguments = {"flows", "--count"};
  arguments.insert(arguments.end(), filters.begin(), filters.end());
  return std::stoul(must_ctl(arguments));
}

bool DaemonLab::becomes(size_t wanted, const Argv& filters) const {
  return eventually(patience, [&] { return count(filters) == wanted; });
}

Json DaemonLab::status() const {
  return parsed(must_ctl({"status", "--json"}));
}

Json DaemonLab::interface_status(const std::string& name) const {
  const Json whole = status();
  for (const Json& interface : whole.at("interfaces"))
    if (interface.at("name") == name) return interface;
  return nullptr;
}

std::string DaemonLab::mode_of(const std::string& device) const {
  const Json now = status();
  for (const auto& each : now["interfaces"])
    if (each["name"] == device) return each["mode"];
  return "";
}

bool DaemonLab::kernel_counts() const {
  return !status().at("zones").at(0).at("counted").at("half_open").is_null();
}

MetricsPage DaemonLab::scrape() const {
  return MetricsPage::parse(http_get(lab.router, "127.0.0.1", metrics_port, "/metrics").body);
}

std::vector<Json> DaemonLab::records(const std::string& file) const {
  std::vector<Json> found;
  std::istringstream lines(read_file(folder.file(file)));
  for (std::string line; std::getline(lines, line);) found.push_back(parsed(line));
  return found;
}

bool DaemonLab::records_become(size_t wanted) const {
  return eventually(patience, [&] {
    const std::string text = read_file(folder.file("records.jsonl"));
    return static_cast<size_t>(std::count(text.begin(), text.end(), '\n')) >= wanted;
  });
}

Json DaemonLab::attached(const std::string& device) const {
  const Json links =
      parsed(must_run({"ip", "-n", lab.router.name(), "-json", "-details", "link", "show", device}));
  return links.at(0).value("xdp", Json());
}

}  // namespace xdpflowd::test

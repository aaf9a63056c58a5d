// SPDX-License-Identifier: GPL-2.0-or-later
#include "crash_lab.h"

#include <map>
#include <sstream>
#include <stdexcept>

namespace xdpflowd::test {
namespace {

constexpr const char* calls = "bpf,mkdir,unlink,rename,renameat2,sendto";

bool changes_something(const std::string& line) {
  if (line.find(" bpf(") == std::string::npos) return true;
  for (const char* command :
       {"BPF_OBJ_PIN", "BPF_MAP_UPDATE_ELEM", "BPF_MAP_DELETE_BATCH", "BPF_LINK_CREATE", "BPF_PROG_TEST_RUN"})
    if (line.find(command) != std::string::npos) return true;
  return false;
}

}  // namespace

std::string name_of(const Step& step) {
  return step.call + " " + std::to_string(step.number);
}

Argv CrashLab::traced(const Argv& strace) const {
  Argv whole = {"strace", "-f", "-o", folder.file("trace")};
  whole.insert(whole.end(), strace.begin(), strace.end());
  const auto daemon = daemon_command(config);
  whole.insert(whole.end(), daemon.begin(), daemon.end());
  return whole;
}

std::vector<Step> CrashLab::steps() const {
  auto daemon = lab.router.start(traced({"-e", std::string("trace=") + calls}));
  if (!daemon.wait_for_output("is ready", patience)) throw std::runtime_error("no start:\n" + daemon.err());
  kill_daemon(daemon);
  std::vector<Step> found;
  std::map<std::string, unsigned> seen;
  std::istringstream trace(read_file(folder.file("trace")));
  for (std::string line; std::getline(trace, line);) {
    const auto from = line.find(' ') + 1, to = line.find('(');
    if (to == std::string::npos || line.find("resumed>") != std::string::npos) continue;
    const auto call = line.substr(line.find_first_not_of(' ', from), to - line.find_first_not_of(' ', from));
    const Step step{call, ++seen[call]};
    if (changes_something(line)) found.push_back(step);
  }
  return found;
}

void CrashLab::start_and_die_at(const Step& step) const {
  const auto inject = "inject=" + step.call + ":signal=KILL:when=" + std::to_string(step.number);
  auto daemon = lab.router.start(traced({"-e", "trace=" + step.call, "-e", inject}));
  if (daemon.wait_for_output("is ready", patience)) kill_daemon(daemon);
  daemon.wait(patience);
}

}  // namespace xdpflowd::test

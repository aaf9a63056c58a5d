// SPDX-License-Identifier: GPL-2.0-or-later
// kill -9 before each step of a start that changes something in the kernel: the next start repairs what is
// left.
#include <gmock/gmock.h>

#include <fstream>
#include <map>
#include <sstream>

#include "daemon_lab.h"
#include "older_build.h"
#include "sockets.h"

namespace xdpflowd::test {
namespace {

/// A system call, and which one of its name it is.
struct Step {
  std::string call;
  unsigned number = 0;
};

class Crash : public PlainLab {
 protected:
  static constexpr const char* calls = "bpf,mkdir,unlink,rename,renameat2,sendto";

  Argv traced(const Argv& strace) const {
    Argv whole = {"strace", "-f", "-o", folder.file("trace")};
    whole.insert(whole.end(), strace.begin(), strace.end());
    const auto daemon = daemon_command(config);
    whole.insert(whole.end(), daemon.begin(), daemon.end());
    return whole;
  }

  static bool changes_something(const std::string& line) {
    if (line.find(" bpf(") == std::string::npos) return true;
    for (const char* command : {"BPF_OBJ_PIN", "BPF_MAP_UPDATE_ELEM", "BPF_LINK_CREATE", "BPF_PROG_TEST_RUN"})
      if (line.find(command) != std::string::npos) return true;
    return false;
  }

  /// Those of a start that is let run.
  std::vector<Step> steps() const {
    auto daemon = lab.router.start(traced({"-e", std::string("trace=") + calls}));
    if (!daemon.wait_for_output("is ready", patience)) throw std::runtime_error("no start:\n" + daemon.err());
    kill_daemon(daemon);
    std::vector<Step> found;
    std::map<std::string, unsigned> seen;
    std::istringstream trace(read_file(folder.file("trace")));
    for (std::string line; std::getline(trace, line);) {
      const auto from = line.find(' ') + 1, to = line.find('(');
      if (to == std::string::npos || line.find("resumed>") != std::string::npos) continue;
      const auto call =
          line.substr(line.find_first_not_of(' ', from), to - line.find_first_not_of(' ', from));
      const Step step{call, ++seen[call]};
      if (changes_something(line)) found.push_back(step);
    }
    return found;
  }

  void start_and_die_at(const Step& step) const {
    const auto inject = "inject=" + step.call + ":signal=KILL:when=" + std::to_string(step.number);
    auto daemon = lab.router.start(traced({"-e", "trace=" + step.call, "-e", inject}));
    if (daemon.wait_for_output("is ready", patience)) kill_daemon(daemon);
    daemon.wait(patience);
  }

  static std::string name(const Step& step) { return step.call + " " + std::to_string(step.number); }

  DaemonConfig config = {
      .rest = "[timeouts]\nudp = \"1h\"\n[zone.default]\nmax_flows = 4096\nmax_half_open = 4096\n"};
};

TEST_F(Crash, AtAnyStepOfAnUpgradeLosesNoFlowAndIsRepaired) {
  std::optional<Background> daemon(start_daemon(config));
  const auto connection = open_tcp(lab, Lab::server4, 8080);
  const FrameSender client(lab.client, "client0");
  for (uint16_t port = 4000; port < 4050; ++port)
    client.send(udp().from(Lab::client4, port).to(Lab::server4, 53));
  ASSERT_TRUE(becomes(51));
  kill_daemon(*daemon);
  pretend_to_be_older(bpffs);
  const auto all = steps();
  ASSERT_GT(all.size(), 40U);
  for (size_t i = 0; i < all.size(); i += 3) {
    pretend_to_be_older(bpffs);
    start_and_die_at(all[i]);
    connection.send_up(100);
    daemon.emplace(start_daemon(config));
    ASSERT_TRUE(becomes(51)) << name(all[i]);
    ASSERT_EQ(count({"--table", "established", "--protocol", "tcp"}), 1U) << name(all[i]);
    ASSERT_EQ(mode_of("lan0"), "native") << name(all[i]);
    ASSERT_EQ(mode_of("wan0"), "native") << name(all[i]);
    ASSERT_TRUE(eventually(patience, [&] { return scrape().imbalance() == 0; })) << name(all[i]);
    kill_daemon(*daemon);
  }
  daemon.emplace(start_daemon(config));
  EXPECT_EQ(scrape().sum("xdpflowd_flows_created_total"), 51);
  EXPECT_EQ(records().size(), 0U);
}

TEST_F(Crash, AtAnyStepOfAFirstStartIsRepaired) {
  const auto all = steps();
  must_ctl({"unload"});
  ASSERT_GT(all.size(), 60U);
  const FrameSender client(lab.client, "client0");
  for (size_t i = 0; i < all.size(); i += 5) {
    start_and_die_at(all[i]);
    auto daemon = start_daemon(config);
    client.send(udp().from(Lab::client4, 4000).to(Lab::server4, 53));
    ASSERT_TRUE(becomes(1)) << name(all[i]);
    kill_daemon(daemon);
    must_ctl({"unload"});
    ASSERT_EQ(attached("lan0"), Json()) << name(all[i]);
  }
}

}  // namespace
}  // namespace xdpflowd::test

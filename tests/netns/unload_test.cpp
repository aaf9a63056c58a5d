// SPDX-License-Identifier: GPL-2.0-or-later
// What `xdpflowctl unload` removes, and when it does not.
#include <gmock/gmock.h>

#include <filesystem>
#include <set>

#include "daemon_lab.h"
#include "sockets.h"

namespace xdpflowd::test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Unload : public PlainLab {
 protected:
  /// Of all maps and programs that are pinned, as bpftool takes them: {"map", "id", "17"}.
  std::set<Argv> pinned_objects() const {
    std::set<Argv> objects;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(bpffs.state_dir())) {
      if (entry.is_directory()) continue;
      const bool program = entry.path().parent_path().filename() == "programs";
      const std::string kind = program ? "prog" : "map";
      const Json object = Json::parse(must_run({"bpftool", "-j", kind, "show", "pinned", entry.path()}));
      objects.insert({"bpftool", kind, "show", "id", object.at("id").dump()});
    }
    return objects;
  }

  static size_t alive(const std::set<Argv>& objects) {
    return static_cast<size_t>(std::count_if(objects.begin(), objects.end(),
                                             [](const Argv& show) { return run(show).status == 0; }));
  }

  bool nothing_is_left() const {
    return attached("lan0").is_null() && attached("wan0").is_null() &&
           !std::filesystem::exists(bpffs.state_dir());
  }
};

TEST_F(Unload, RemovesProgramsPinsAndMapsOfAStoppedDaemon) {
  auto daemon = start_daemon();
  const auto connection = open_tcp(lab, Lab::server4, 8080);
  connection.send_up(1000);
  stop_daemon(daemon);
  const auto objects = pinned_objects();
  EXPECT_EQ(alive(objects), objects.size());
  EXPECT_GE(objects.size(), 18U);

  EXPECT_EQ(must_ctl({"unload"}), "");
  EXPECT_TRUE(nothing_is_left());
  EXPECT_TRUE(eventually(patience, [&] { return alive(objects) == 0; }));
  connection.send_down(1000);  // the router routes on
}

TEST_F(Unload, RemovesWhatAKilledDaemonLeft) {
  auto daemon = start_daemon();
  kill_daemon(daemon);
  must_ctl({"unload"});
  EXPECT_TRUE(nothing_is_left());
}

TEST_F(Unload, IsRefusedWhileTheDaemonRuns) {
  auto daemon = start_daemon();
  const Outcome refused = ctl({"unload"});
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.err, HasSubstr("pid " + std::to_string(daemon.pid())));
  EXPECT_THAT(refused.err, HasSubstr("--force"));
  EXPECT_NE(attached("lan0"), Json());
  EXPECT_TRUE(daemon.is_running());
}

TEST_F(Unload, ByForceMakesTheDaemonLeave) {
  auto daemon = start_daemon();
  must_ctl({"unload", "--force"});
  EXPECT_TRUE(nothing_is_left());
  EXPECT_EQ(daemon.wait(patience), 0);
  EXPECT_THAT(daemon.err() + daemon.out(), HasSubstr("was unloaded"));
}

TEST_F(Unload, TwiceIsNoError) {
  auto daemon = start_daemon();
  stop_daemon(daemon);
  must_ctl({"unload"});
  const Outcome again = ctl({"unload"});
  EXPECT_EQ(again.status, 0);
  EXPECT_THAT(again.err, IsEmpty());
  EXPECT_EQ(again.out, "nothing is loaded under " + bpffs.state_dir() + "\n");
}

TEST_F(Unload, ADaemonStartsAnewAfterIt) {
  auto daemon = start_daemon();
  stop_daemon(daemon);
  must_ctl({"unload"});
  const auto next = start_daemon();
  EXPECT_EQ(status()["generation"], 1);
  const auto connection = open_tcp(lab, Lab::server4, 8080);
  EXPECT_TRUE(becomes(1));
}

}  // namespace
}  // namespace xdpflowd::test

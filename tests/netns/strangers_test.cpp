// SPDX-License-Identifier: GPL-2.0-or-later
// What belongs to others: their XDP programs stay, their pins are not misread.
#include <bpf/bpf.h>
#include <gmock/gmock.h>

#include <array>
#include <cstring>

#include "daemon_lab.h"
#include "foreign_program.h"

namespace xdpflowd::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class Strangers : public DaemonLab {
 protected:
  /// Another value for `control.layout`.
  void change_layout() const {
    const UniqueFd control(bpf_obj_get((bpffs.state_dir() + "/control").c_str()));
    std::array<uint64_t, 8> value{};
    const uint32_t first = 0;
    if (bpf_map_lookup_elem(control.get(), &first, value.data()) != 0) throw std::runtime_error("no control");
    value[0] ^= 1;
    if (bpf_map_update_elem(control.get(), &first, value.data(), BPF_ANY) != 0)
      throw std::runtime_error("cannot write control");
  }
};

TEST_F(Strangers, AForeignProgramIsNamedAndNeverTornOff) {
  attach_foreign_program(lab.router, "lan0");
  const Json program = attached("lan0");
  ASSERT_NE(program, Json());
  const Outcome outcome = run_daemon({.interfaces = "[[interface]]\nname = \"lan0\"\n"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.out + outcome.err, AllOf(HasSubstr("lan0"), HasSubstr("somebody_else")));
  EXPECT_EQ(attached("lan0"), program);
}

TEST_F(Strangers, BesideAForeignProgramTheOtherInterfacesWorkAndUnloadLeavesItAlone) {
  attach_foreign_program(lab.router, "lan0");
  const Json program = attached("lan0");
  {
    auto daemon = start_daemon();
    EXPECT_EQ(interface_status("lan0")["mode"], "detached");
    EXPECT_EQ(interface_status("wan0")["mode"], "native");
    stop_daemon(daemon);
  }
  must_ctl({"unload"});
  EXPECT_EQ(attached("lan0"), program);
  EXPECT_EQ(attached("wan0"), Json());
}

TEST_F(Strangers, PinsOfAnotherLayoutAreRefusedWithTheWayOutWhichWorks) {
  {
    auto daemon = start_daemon();
    stop_daemon(daemon);
  }
  change_layout();
  const Outcome outcome = run_daemon({});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.out + outcome.err, AllOf(HasSubstr("layout"), HasSubstr("xdpflowctl unload")));
  const Outcome tool = ctl({"flows"});
  EXPECT_EQ(tool.status, 1);
  EXPECT_THAT(tool.err, AllOf(HasSubstr("another version"), HasSubstr("xdpflowctl unload")));

  EXPECT_EQ(ctl({"unload"}).status, 0);
  EXPECT_EQ(attached("lan0"), Json());
  const auto daemon = start_daemon();
  EXPECT_NE(attached("lan0"), Json());
}

}  // namespace
}  // namespace xdpflowd::test

// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/kernel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/bpf.h>
#include <linux/capability.h>

namespace xdpflowd {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

uint64_t capabilities(std::initializer_list<unsigned> numbers) {
  uint64_t set = 0;
  for (const auto number : numbers) set |= uint64_t{1} << number;
  return set;
}

TEST(Kernel, OneThatHasEveryHelperLacksNothing) {
  EXPECT_THAT(missing_helpers([](unsigned) { return true; }), IsEmpty());
}

TEST(Kernel, AnOldOneIsToldByWhatItLacksAndSinceWhenThatExists) {
  EXPECT_THAT(missing_helpers([](unsigned helper) { return helper != BPF_FUNC_loop; }),
              ElementsAre(HasSubstr("bpf_loop (5.17)")));
}

TEST(Capabilities, RootLacksNone) {
  EXPECT_EQ(missing_capabilities(~uint64_t{0}), "");
}

TEST(Capabilities, TheBoundedSetOfTheUnitIsEnough) {
  EXPECT_EQ(missing_capabilities(capabilities({CAP_BPF, CAP_NET_ADMIN, CAP_PERFMON})), "");
}

TEST(Capabilities, SysAdminStandsInForBpfAndPerfmonButNotForNetAdmin) {
  EXPECT_EQ(missing_capabilities(capabilities({CAP_SYS_ADMIN})), "CAP_NET_ADMIN");
}

TEST(Capabilities, AUserIsToldAllThatIsMissing) {
  EXPECT_EQ(missing_capabilities(0), "CAP_BPF, CAP_NET_ADMIN, CAP_PERFMON");
}

}  // namespace
}  // namespace xdpflowd

// SPDX-License-Identifier: GPL-2.0-or-later
#include "support/timers.h"

#include <gtest/gtest.h>

namespace xdpflowd::test {
namespace {

TEST(ScarceTimers, NeedBothTheNewAllocatorAndLazyMemory) {
  const std::string lazy = "console=ttyS0 deferred_init=lazy root=/dev/vda\n";
  EXPECT_TRUE(timers_are_scarce("6.18.0", lazy));
  EXPECT_TRUE(timers_are_scarce("6.18.3-custom", lazy));
  EXPECT_TRUE(timers_are_scarce("7.0.0-rc1", lazy));
  EXPECT_FALSE(timers_are_scarce("6.17.9", lazy));
  EXPECT_FALSE(timers_are_scarce("6.1.0-28-amd64", lazy));
  EXPECT_FALSE(timers_are_scarce("5.19.0", lazy));
  EXPECT_FALSE(timers_are_scarce("6.18.0", "quiet splash"));
  EXPECT_FALSE(timers_are_scarce("unknown", lazy));
}

}  // namespace
}  // namespace xdpflowd::test

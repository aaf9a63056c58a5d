// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/pinned_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

#include "dataplane/pin_paths.h"

namespace xdpflowd {
namespace {

using testing::HasSubstr;

TEST(PinnedState, OfAFolderThatDoesNotExistSaysHowToGetOne) {
  const auto state = PinnedState::open("/no/such/folder");
  ASSERT_FALSE(state);
  EXPECT_EQ(state.error().message,
            "no data plane is loaded under /no/such/folder: start xdpflowd (or pass --state-dir)");
}

TEST(PinError, OfTheKernelsRefusalAsksForRoot) {
  EXPECT_EQ(pin_error(EPERM, "/sys/fs/bpf/xdpflowd/control").message,
            "must be root to open /sys/fs/bpf/xdpflowd/control");
}

TEST(PinError, OfAMissingPinNamesItAndTheWayOut) {
  const auto error = pin_error(ENOENT, table_pin("/sys/fs/bpf/xdpflowd", "default", XF_TABLE_HALF_OPEN));
  EXPECT_THAT(error.message, HasSubstr("/sys/fs/bpf/xdpflowd/flows/default/half_open is missing"));
  EXPECT_THAT(error.message, HasSubstr("xdpflowctl unload"));
}

}  // namespace
}  // namespace xdpflowd

// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/state_lock.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <optional>

namespace xdpflowd {
namespace {

class StateLocks : public testing::Test {
 protected:
  void SetUp() override { ASSERT_NE(mkdtemp(folder_.data()), nullptr); }
  void TearDown() override { rmdir(folder_.c_str()); }

  std::string folder_ = testing::TempDir() + "state_lock_XXXXXX";
};

TEST_F(StateLocks, ADaemonRunsWhileTheLockIsHeld) {
  const auto lock = StateLock::acquire(folder_);
  ASSERT_TRUE(lock);
  EXPECT_TRUE(daemon_running(folder_));
}

TEST_F(StateLocks, NoDaemonRunsOnceTheLockIsGone) {
  { ASSERT_TRUE(StateLock::acquire(folder_)); }
  EXPECT_FALSE(daemon_running(folder_));
}

TEST_F(StateLocks, ALookLeavesNothingThatStopsADaemon) {
  EXPECT_FALSE(daemon_running(folder_));
  EXPECT_TRUE(StateLock::acquire(folder_));
}

TEST_F(StateLocks, NoDaemonRunsWhereThereIsNoState) {
  EXPECT_FALSE(daemon_running(folder_ + "/absent"));
}

TEST_F(StateLocks, AnAbsentFolderIsNamed) {
  const auto lock = StateLock::acquire(folder_ + "/absent");
  ASSERT_FALSE(lock);
  EXPECT_NE(lock.error().message.find(folder_ + "/absent"), std::string::npos);
}

}  // namespace
}  // namespace xdpflowd

// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/log_output.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/details/log_msg.h>

#include <string>

namespace xdpflowd {
namespace {

std::string formatted(bool for_journal, spdlog::level::level_enum level, const std::string& text) {
  spdlog::memory_buf_t out;
  log_formatter(for_journal)->format(spdlog::details::log_msg("xdpflowd", level, text), out);
  return {out.data(), out.size()};
}

TEST(Log, JournalGetsPriorityAndNoTime) {
  EXPECT_EQ(formatted(true, spdlog::level::trace, "a"), "<7>a\n");
  EXPECT_EQ(formatted(true, spdlog::level::debug, "a"), "<7>a\n");
  EXPECT_EQ(formatted(true, spdlog::level::info, "a"), "<6>a\n");
  EXPECT_EQ(formatted(true, spdlog::level::warn, "a"), "<4>a\n");
  EXPECT_EQ(formatted(true, spdlog::level::err, "a"), "<3>a\n");
  EXPECT_EQ(formatted(true, spdlog::level::critical, "a"), "<2>a\n");
}

TEST(Log, OthersGetTimeAndLevel) {
  EXPECT_THAT(formatted(false, spdlog::level::info, "attached"),
              testing::MatchesRegex("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}[+-][0-"
                                    "9]{2}:[0-9]{2} info +attached\n"));
}

TEST(Log, AMessageIsOneLineWithoutControlCharacters) {
  EXPECT_EQ(formatted(true, spdlog::level::info, "one\ntwo\r\x1b[31mthree\x7f"), "<6>one two  [31mthree \n");
}

TEST(Log, TextOfOtherLanguagesIsLeftAlone) {
  EXPECT_EQ(formatted(true, spdlog::level::info, "Gr\xc3\xbc\xc3\x9f"), "<6>Gr\xc3\xbc\xc3\x9f\n");
}

TEST(Log, IsJournalOnlyIfDeviceAndInodeAreTheAnnouncedOnes) {
  struct stat status {};
  status.st_dev = 9;
  status.st_ino = 4711;
  EXPECT_TRUE(is_journal("9:4711", status));
  EXPECT_FALSE(is_journal("9:4712", status));
  EXPECT_FALSE(is_journal("8:4711", status));
  EXPECT_FALSE(is_journal("", status));
  EXPECT_FALSE(is_journal(nullptr, status));
}

}  // namespace
}  // namespace xdpflowd

// SPDX-License-Identifier: GPL-2.0-or-later
#include <gtest/gtest.h>

#include <string>

#include "settings/suggestion.h"

namespace xdpflowd {
namespace {

TEST(Suggestion, NamesTheNearestOrElseAll) {
  EXPECT_EQ(suggestion("udp_steam", {"udp", "udp_stream"}), "did you mean \"udp_stream\"?");
  EXPECT_EQ(suggestion("x", {"udp", "icmp"}), "known here: udp, icmp");
  EXPECT_EQ(suggestion(std::string(100'000, 'u'), {"udp"}), "known here: udp");
}

TEST(InQuotes, IsShortAndSafeForATerminal) {
  EXPECT_EQ(in_quotes("a\x1b[m\n"), "\"a\\x1b[m\\x0a\"");
  EXPECT_LT(in_quotes(std::string(1000, 'a')).size(), 100u);
}

TEST(InQuotes, ShowsWhatATerminalWouldObeyOrWriteBackwards) {
  EXPECT_EQ(in_quotes("a\u009b31m"), "\"a\\xc2\\x9b31m\"");
  EXPECT_EQ(in_quotes("log_level\u202e"), "\"log_level\\xe2\\x80\\xae\"");
  EXPECT_EQ(in_quotes("caf\u00e9 \u0663"), "\"caf\u00e9 \u0663\"");
}

}  // namespace
}  // namespace xdpflowd

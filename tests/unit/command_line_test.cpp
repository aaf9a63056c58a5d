// SPDX-License-Identifier: GPL-2.0-or-later
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "settings/command_line.h"

namespace xdpflowd {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

Result<CommandLine> command_line(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "xdpflowd");
  return parse_command_line(static_cast<int>(arguments.size()), arguments.data(), "1.2.3");
}

DaemonArguments arguments_of(std::vector<const char*> arguments) {
  auto result = command_line(std::move(arguments));
  EXPECT_TRUE(result) << result.error().message;
  return std::get<DaemonArguments>(*result);
}

std::string text_of(std::vector<const char*> arguments) {
  auto result = command_line(std::move(arguments));
  EXPECT_TRUE(result) << result.error().message;
  return std::get<PrintAndExit>(*result).text;
}

TEST(CommandLineOf, NothingMeansTheInstalledFile) {
  const DaemonArguments arguments = arguments_of({});
  EXPECT_EQ(arguments.config, "/etc/xdpflowd/xdpflowd.toml");
  EXPECT_FALSE(arguments.check);
  EXPECT_FALSE(arguments.log_level);
}

TEST(CommandLineOf, EveryOptionReachesItsField) {
  const DaemonArguments arguments = arguments_of({"--config", "/tmp/x", "--check", "--log-level=trace"});
  EXPECT_EQ(arguments.config, "/tmp/x");
  EXPECT_TRUE(arguments.check);
  EXPECT_EQ(arguments.log_level, LogLevel::trace);
}

TEST(CommandLineOf, VersionIsOneLine) {
  EXPECT_EQ(text_of({"--version"}), "xdpflowd 1.2.3\n");
}

TEST(CommandLineOf, HelpNamesOptionsExitCodesAndFiles) {
  const std::string help = text_of({"--help"});
  for (const char* word : {"--config FILE", "--check", "--log-level LEVEL", "--version", "Exit codes",
                           "  2  ", "/etc/xdpflowd/xdpflowd.toml", "/sys/fs/bpf/xdpflowd"}) {
    EXPECT_THAT(help, HasSubstr(word));
  }
}

TEST(CommandLineOf, WrongUsageIsOneLineThatPointsToTheHelp) {
  const std::vector<std::vector<const char*>> wrong{
      {"--bogus"}, {"extra\n"}, {"--config"}, {"--log-level", "loud"}, {"--config", "a", "--config", "b"}};
  for (const auto& arguments : wrong) {
    auto result = command_line(arguments);
    ASSERT_FALSE(result) << arguments[0];
    EXPECT_EQ(result.error().kind, Error::Kind::usage);
    EXPECT_THAT(result.error().message, AllOf(HasSubstr("see xdpflowd --help"), Not(HasSubstr("\n"))));
  }
}

}  // namespace
}  // namespace xdpflowd

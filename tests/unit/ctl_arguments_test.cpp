// SPDX-License-Identifier: GPL-2.0-or-later
#include <gmock/gmock.h>

#include <vector>

#include "ctl/arguments.h"
#include "unit/flows.h"

namespace xdpflowd {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

Result<Arguments> parse(std::vector<const char*> words) {
  words.insert(words.begin(), "xdpflowctl");
  return parse_arguments(static_cast<int>(words.size()), words.data(), "1.2.3");
}

Arguments accepted(const std::vector<const char*>& words) {
  auto arguments = parse(words);
  EXPECT_TRUE(arguments) << arguments.error().message;
  return arguments ? *arguments : Arguments{};
}

std::string refused(const std::vector<const char*>& words) {
  const auto arguments = parse(words);
  if (arguments) return "accepted";
  EXPECT_EQ(arguments.error().kind, Error::Kind::usage);
  EXPECT_THAT(arguments.error().message, Not(HasSubstr("\n")));
  return arguments.error().message;
}

TEST(Arguments, NameTheCommand) {
  EXPECT_EQ(accepted({"status"}).command, Command::status);
  EXPECT_EQ(accepted({"flows"}).command, Command::flows);
  EXPECT_EQ(accepted({"flush"}).command, Command::flush);
  EXPECT_EQ(accepted({"targets"}).command, Command::targets);
  EXPECT_EQ(accepted({"unload"}).command, Command::unload);
}

TEST(Arguments, TargetsAreWatchedOnRequest) {
  EXPECT_FALSE(accepted({"targets"}).watch);
  EXPECT_TRUE(accepted({"targets", "--watch"}).watch);
  EXPECT_TRUE(accepted({"targets", "--watch", "--json"}).json);
}

TEST(Arguments, ATargetIsSetToWhatTheOperatorSays) {
  const std::pair<const char*, xf_health> states[] = {
      {"up", XF_HEALTH_UP}, {"down", XF_HEALTH_DOWN}, {"auto", XF_HEALTH_UNKNOWN}};
  for (const auto& [word, health] : states) {
    const Arguments arguments = accepted({"targets", "set", "gw-a", word});
    EXPECT_EQ(arguments.command, Command::set_target);
    EXPECT_EQ(arguments.target, "gw-a");
    EXPECT_EQ(arguments.health, health);
  }
}

TEST(Arguments, JsonAndStateDirMayFollowTheTargetThatIsSet) {
  const Arguments arguments = accepted({"targets", "set", "gw-a", "up", "--json", "--state-dir", "/run/x"});
  EXPECT_TRUE(arguments.json);
  EXPECT_EQ(arguments.state_dir, "/run/x");
}

TEST(Arguments, ATargetMayBeCalledSet) {
  EXPECT_EQ(accepted({"targets", "set", "set", "up"}).target, "set");
}

TEST(Arguments, JsonAndStateDirStandOnEitherSideOfTheCommand) {
  for (const auto& words : {std::vector{"--json", "--state-dir", "/run/x", "status"},
                            std::vector{"status", "--json", "--state-dir", "/run/x"}}) {
    EXPECT_TRUE(accepted(words).json);
    EXPECT_EQ(accepted(words).state_dir, "/run/x");
  }
  EXPECT_FALSE(accepted({"status"}).json);
  EXPECT_EQ(accepted({"status"}).state_dir, "/sys/fs/bpf/xdpflowd");
}

TEST(Arguments, FlowsTakesFilters) {
  const Arguments arguments = accepted({"flows", "--zone", "default", "--protocol", "tcp", "--source",
                                        "192.0.2.0/24", "--destination", "198.51.100.7", "--port", "443",
                                        "--state", "established", "--table", "established"});
  EXPECT_TRUE(arguments.filter.matches(test::tcp_flow()));
  EXPECT_EQ(arguments.filter.zone, "default");
  EXPECT_EQ(arguments.filter.port, 443);
  EXPECT_EQ(arguments.filter.table, XF_TABLE_ESTABLISHED);
}

TEST(Arguments, FlowsAreSortedAsTold) {
  EXPECT_EQ(accepted({"flows"}).sort, std::nullopt);
  EXPECT_EQ(accepted({"flows", "--sort", "name"}).sort, SortBy::name);
  EXPECT_EQ(accepted({"flows", "--sort", "bytes"}).sort, SortBy::bytes);
  EXPECT_EQ(accepted({"flows", "--sort", "packets"}).sort, SortBy::packets);
  EXPECT_EQ(accepted({"flows", "--sort", "age"}).sort, SortBy::age);
  EXPECT_EQ(accepted({"flows", "--sort=idle"}).sort, SortBy::idle);
}

TEST(Arguments, FlowsCanBeLimitedOrCounted) {
  EXPECT_EQ(accepted({"flows"}).limit, std::nullopt);
  EXPECT_EQ(accepted({"flows", "--limit", "20"}).limit, 20u);
  EXPECT_TRUE(accepted({"flows", "--count"}).count);
}

TEST(Arguments, FlushTakesFilters) {
  EXPECT_EQ(accepted({"flush", "--port", "53"}).filter.port, 53);
  EXPECT_TRUE(accepted({"flush"}).filter.matches_all());
}

TEST(Arguments, UnloadIsForcedOnRequest) {
  EXPECT_FALSE(accepted({"unload"}).force);
  EXPECT_TRUE(accepted({"unload", "--force"}).force);
}

TEST(Arguments, WrongUsageIsAnsweredInOneLineThatHelps) {
  const std::pair<std::vector<const char*>, const char*> cases[] = {
      {{}, "say a command: status, flows, flush, targets, features or unload; see xdpflowctl --help"},
      {{"flow"}, "there is no command \"flow\"; see xdpflowctl --help"},
      {{"--zoen", "flows"}, "no option or argument \"--zoen\""},
      {{"flows", "--zoen", "x"}, "no option or argument \"--zoen\" for flows; see xdpflowctl flows --help"},
      {{"flows", "status"}, "status"},
      {{"flows", "extra"}, "extra"},
      {{"flows", "--port"}, "--port"},
      {{"flows", "--port", "http"}, "--port: \"http\" is not a port"},
      {{"flows", "--port", ""}, "--port"},
      {{"flows", "--source", "10.0.0.1/8"}, "say 10.0.0.0/8"},
      {{"flows", "--sort", "size"}, "say name, bytes, packets, age or idle"},
      {{"flows", "--limit", "0"}, "say 1 or more"},
      {{"flows", "--limit", "many"}, "--limit: \"many\""},
      {{"flows", "--count", "--limit", "3"}, "--limit"},
      {{"flows", "--count", "--sort", "age"}, "--sort"},
      {{"flows", "--force"}, "--force"},
      {{"flush", "--port", "53", "--limit", "3"}, "--limit"},
      {{"status", "--zone", "x"}, "--zone"},
      {{"status", "--watch"}, "--watch"},
      {{"targets", "gw-a"}, "no option or argument \"gw-a\" for targets"},
      {{"targets", "set"}, "xdpflowctl targets set NAME up|down|auto"},
      {{"targets", "set", "gw-a"}, "xdpflowctl targets set NAME up|down|auto"},
      {{"targets", "set", "gw-a", "unknown"}, "\"unknown\" is not a state of a target; say up, down or auto"},
      {{"targets", "set", "gw-a", "up", "gw-b"}, "gw-b"},
      {{"targets", "--watch", "set", "gw-a", "up"}, "--watch shows targets"},
  };
  for (const auto& [words, message] : cases) EXPECT_THAT(refused(words), HasSubstr(message));
}

TEST(Arguments, AnEmptyZoneDoesNotFlushEverything) {
  const auto arguments = parse({"flush", "--zone", ""});
  EXPECT_TRUE(!arguments || !arguments->filter.matches_all());
}

TEST(Arguments, VersionIsAnswered) {
  EXPECT_EQ(accepted({"--version"}).answer, "xdpflowctl 1.2.3\n");
}

TEST(Arguments, HelpExplainsCommandsExamplesAndExitCodes) {
  EXPECT_THAT(accepted({"--help"}).answer,
              AllOf(HasSubstr("status"), HasSubstr("flows"), HasSubstr("flush"), HasSubstr("unload"),
                    HasSubstr("--state-dir"), HasSubstr("Examples:"), HasSubstr("2 wrong usage")));
}

TEST(Arguments, HelpOfACommandListsItsOptions) {
  EXPECT_THAT(accepted({"flows", "--help"}).answer,
              AllOf(HasSubstr("--zone NAME"), HasSubstr("--source CIDR"), HasSubstr("--sort KEY"),
                    HasSubstr("half_open or established"), HasSubstr("Examples:")));
  EXPECT_THAT(accepted({"flush", "--help"}).answer, HasSubstr("all flows"));
  EXPECT_THAT(accepted({"targets", "--help"}).answer,
              AllOf(HasSubstr("--watch"), HasSubstr("set"), HasSubstr("Examples:"), HasSubstr("(stale)")));
  EXPECT_THAT(accepted({"targets", "set", "--help"}).answer,
              AllOf(HasSubstr("up, down, or auto"), HasSubstr("Examples:")));
  EXPECT_THAT(accepted({"unload", "--help"}).answer, HasSubstr("--force"));
}

}  // namespace
}  // namespace xdpflowd

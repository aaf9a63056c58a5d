// SPDX-License-Identifier: GPL-2.0-or-later
// Man pages and completions say what --help and the parser of the configuration say: every option, every key,
// and none besides.
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "ctl/arguments.h"
#include "settings/command_line.h"
#include "settings/config_file.h"
#include "support/process.h"

namespace xdpflowd {
namespace {

using testing::ContainerEq;
using testing::IsEmpty;
using testing::Not;

using Words = std::set<std::string>;

std::string content(const std::string& file) {
  std::ifstream stream(XDPFLOWD_SOURCE_DIR "/" + file);
  EXPECT_TRUE(stream) << file;
  return {std::istreambuf_iterator<char>(stream), {}};
}

Words matches(const std::string& text, const char* pattern) {
  const std::regex regex(pattern);
  Words found;
  for (std::sregex_iterator match(text.begin(), text.end(), regex), end; match != end; ++match)
    found.insert(match->str());
  return found;
}

Words options_in(const std::string& text) {
  return matches(text, "--[a-z][a-z-]*");
}

Words words_of(const std::string& text) {
  return matches(text, "[^\\s]+");
}

// ---- the truth ----

Words daemon_options() {
  const std::vector<const char*> line{"xdpflowd", "--help"};
  const auto help = parse_command_line(static_cast<int>(line.size()), line.data(), "1.2.3");
  return options_in(std::get<PrintAndExit>(*help).text);
}

/// As xdpflowctl itself lists them.
std::vector<std::string> commands() {
  const std::vector<const char*> line{"xdpflowctl"};
  const auto refused = parse_arguments(1, line.data(), "1.2.3");
  const Words words = matches(refused.error().message.substr(0, refused.error().message.find(';')), "[a-z]+");
  std::vector<std::string> found;
  for (const auto& word : words)
    if (const std::vector<const char*> one{"xdpflowctl", word.c_str()}; parse_arguments(2, one.data(), ""))
      found.push_back(word);
  EXPECT_THAT(found, testing::SizeIs(testing::Ge(4U)));
  return found;
}

/// Of one command, or with "" of xdpflowctl itself. Examples in help texts show options of other commands
/// too: only the lines that begin with an option count.
Words ctl_options(const std::string& command) {
  std::vector<const char*> line{"xdpflowctl"};
  if (!command.empty()) line.push_back(command.c_str());
  line.push_back("--help");
  const auto arguments = parse_arguments(static_cast<int>(line.size()), line.data(), "1.2.3");
  Words options;
  for (const auto& text : matches(arguments->answer, "\n  (-h,)?--[a-z-]+")) options.merge(options_in(text));
  return options;
}

/// What a command can be told to do besides what it does alone.
Words actions(const std::string& command) {
  const std::vector<const char*> line{"xdpflowctl", command.c_str(), "--help"};
  const std::string help = parse_arguments(3, line.data(), "1.2.3")->answer;
  const auto list = help.find("\nSubcommands:\n");
  Words found;
  if (list == std::string::npos) return found;
  for (const auto& word : matches(help.substr(list, help.find("\n\n", list + 1) - list), "\n  [a-z]+"))
    found.merge(words_of(word));
  return found;
}

Words all_ctl_options() {
  Words options = ctl_options("");
  for (const auto& command : commands()) options.merge(ctl_options(command));
  return options;
}

/// The keys that the parser would take where `section` ends.
Words known_keys(const std::string& section) {
  const std::string text = section + std::string(70, 'q') + " = 1\n";
  const auto refused = parse_settings(text, "x.toml", 1 << 30, 1);
  EXPECT_FALSE(refused);
  const std::string& message = refused.error().message;
  const auto list = message.find("known here: ");
  EXPECT_NE(list, std::string::npos) << message;
  EXPECT_EQ(message.find("..."), message.rfind("...")) << "the list is cut short: " << message;
  return matches(message.substr(list + std::strlen("known here: ")), "[a-z_]+");
}

// ---- man pages ----

std::string man_page(const std::string& name) {
  std::string page = content("docs/man/" + name + ".in");
  page = std::regex_replace(page, std::regex("\\.\\\\\".*\n"), "");
  return std::regex_replace(page, std::regex("\\\\-"), "-");
}

TEST(ManPages, NameTheOptionsOfTheDaemon) {
  EXPECT_THAT(options_in(man_page("xdpflowd.8")), ContainerEq(daemon_options()));
}

TEST(ManPages, NameTheCommandsAndOptionsOfXdpflowctl) {
  const std::string page = man_page("xdpflowctl.8");
  EXPECT_THAT(options_in(page), ContainerEq(all_ctl_options()));
  for (const auto& command : commands())
    EXPECT_NE(page.find(".TP\n.B " + command + "\n"), std::string::npos) << command;
}

/// Words that head a paragraph of one section of the page.
Words man_keys(const std::string& page, const std::string& heading) {
  const auto begin = page.find("\n.SH \"" + heading + "\"\n");
  EXPECT_NE(begin, std::string::npos) << heading;
  const std::string section = page.substr(begin, page.find("\n.SH ", begin + 1) - begin);
  Words keys;
  for (const auto& head : matches(section, "\n\\.TP\n\\.BR? [^\n]*")) {
    const std::string unquoted = std::regex_replace(head, std::regex("\"[^\"]*\"|\\.TP|\\.BR?"), "");
    keys.merge(words_of(unquoted));
  }
  return keys;
}

TEST(ManPages, NameTheKeysOfTheConfiguration) {
  const std::string page = man_page("xdpflowd.toml.5");
  EXPECT_THAT(man_keys(page, "[daemon]"), ContainerEq(known_keys("[daemon]\n")));
  EXPECT_THAT(man_keys(page, "[metrics]"), ContainerEq(known_keys("[metrics]\n")));
  EXPECT_THAT(man_keys(page, "[records]"), ContainerEq(known_keys("[records]\n")));
  EXPECT_THAT(man_keys(page, "[zone.NAME]"), ContainerEq(known_keys("[zone.a]\n")));
  EXPECT_THAT(man_keys(page, "[[interface]]"), ContainerEq(known_keys("[[interface]]\n")));
  EXPECT_THAT(man_keys(page, "[health]"), ContainerEq(known_keys("[health]\n")));
  EXPECT_THAT(man_keys(page, "[[target]]"), ContainerEq(known_keys("[[target]]\n")));
  EXPECT_THAT(man_keys(page, "[timeouts]"),
              ContainerEq(known_keys("[[interface]]\nname = \"a\"\n[timeouts]\n")));
}

TEST(ManPages, NameTheSectionsOfTheConfiguration) {
  Words headings;
  for (const auto& heading : matches(man_page("xdpflowd.toml.5"), "\\.SH \"\\[+[a-z]+"))
    headings.insert(heading.substr(heading.find_last_of('[') + 1));
  EXPECT_THAT(headings, ContainerEq(known_keys("")));
}

// ---- completions ----

/// What a function of the bash completion prints.
Words bash(const std::string& file, const std::string& call) {
  return words_of(test::must_run({"bash", "-c", ". \"$1\" && eval \"$2\"", "bash",
                                  XDPFLOWD_SOURCE_DIR "/dist/completions/" + file, call}));
}

/// What <Tab> offers after these words.
Words offered(const std::string& program, const std::string& words) {
  return bash(program, "COMP_WORDS=(" + program + " " + words +
                           " '') COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _" + program +
                           "; echo \"${COMPREPLY[@]}\"");
}

TEST(BashCompletion, OffersTheOptionsOfTheDaemon) {
  EXPECT_THAT(offered("xdpflowd", ""), ContainerEq(daemon_options()));
}

TEST(BashCompletion, OffersTheOptionsOfEachCommand) {
  for (const auto& command : commands()) {
    Words next = ctl_options(command);
    next.merge(actions(command));
    EXPECT_THAT(offered("xdpflowctl", command), ContainerEq(next)) << command;
  }
  Words first = ctl_options("");
  for (const auto& command : commands()) first.insert(command);
  EXPECT_THAT(offered("xdpflowctl", ""), ContainerEq(first));
}

TEST(BashCompletion, OffersOnlyValuesThatAreAccepted) {
  for (const char* option : {"--protocol", "--state", "--table", "--sort"}) {
    const Words values = offered("xdpflowctl", std::string("flows ") + option);
    EXPECT_THAT(values, Not(IsEmpty())) << option;
    for (const auto& value : values) {
      const std::vector<const char*> line{"xdpflowctl", "flows", option, value.c_str()};
      EXPECT_TRUE(parse_arguments(4, line.data(), "1.2.3")) << option << " " << value;
    }
  }
  for (const auto& level : offered("xdpflowd", "--log-level")) {
    const std::vector<const char*> line{"xdpflowd", "--log-level", level.c_str()};
    EXPECT_TRUE(parse_command_line(3, line.data(), "1.2.3")) << level;
  }
}

TEST(BashCompletion, OffersTheStatesThatATargetCanBeSetTo) {
  const Words states = offered("xdpflowctl", "targets set gw-a");
  EXPECT_THAT(states, testing::SizeIs(3));
  for (const auto& state : states) {
    const std::vector<const char*> line{"xdpflowctl", "targets", "set", "gw-a", state.c_str()};
    EXPECT_TRUE(parse_arguments(5, line.data(), "1.2.3")) << state;
  }
}

TEST(ZshCompletion, NamesTheSameOptionsAndCommands) {
  const std::string both = content("dist/completions/_xdpflowd");
  const auto border = both.find("case $service in");
  ASSERT_NE(border, std::string::npos);
  EXPECT_THAT(options_in(both.substr(0, border)), ContainerEq(all_ctl_options()));
  EXPECT_THAT(options_in(both.substr(border)), ContainerEq(daemon_options()));
  for (const auto& command : commands())
    EXPECT_NE(both.find("    '" + command + ":"), std::string::npos) << command;
}

/// "Suite.Test" of every test in the sources, parameters apart.
Words tests_in_the_sources() {
  Words tests;
  const std::regex test("TEST(?:_F|_P)?\\((\\w+),\\s*(\\w+)\\)");
  for (const auto& file : std::filesystem::recursive_directory_iterator(XDPFLOWD_SOURCE_DIR "/tests")) {
    if (file.path().extension() != ".cpp") continue;
    std::ifstream stream(file.path());
    const std::string text{std::istreambuf_iterator<char>(stream), {}};
    for (std::sregex_iterator match(text.begin(), text.end(), test), end; match != end; ++match)
      tests.insert((*match)[1].str() + "." + (*match)[2].str());
  }
  return tests;
}

TEST(Faults, NameTestsThatThereAre) {
  const Words tests = tests_in_the_sources();
  const Words named = matches(content("docs/faults.md"), "\\b[A-Z]\\w+\\.[A-Z]\\w+");
  EXPECT_THAT(named, testing::SizeIs(testing::Gt(30)));
  for (const auto& test : named) EXPECT_TRUE(tests.contains(test)) << test;
}

}  // namespace
}  // namespace xdpflowd

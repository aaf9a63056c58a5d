// SPDX-License-Identifier: GPL-2.0-or-later
#include "settings/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <utility>

#include "settings/values.h"

namespace xdpflowd {
namespace {

constexpr const char* description =
    "Tracks the flows that a Linux router forwards, in XDP. Every flow has a kernel timer of its own,\n"
    "so each leaves the table when it is due, also while this daemon is down. Runs in the foreground\n"
    "until SIGTERM; the data plane then stays at work until \"xdpflowctl unload\".\n";

constexpr const char* footer =
    "Exit codes:\n"
    "  0  done\n"
    "  1  failed; one line on stderr says why\n"
    "  2  wrong usage or a bad configuration\n"
    "\nFiles:\n"
    "  /etc/xdpflowd/xdpflowd.toml  the configuration\n"
    "  /sys/fs/bpf/xdpflowd         maps and programs, pinned (state_dir)\n"
    "\nSignals:\n"
    "  SIGTERM, SIGINT  stop the daemon, leave the data plane at work\n"
    "  SIGHUP           load the configuration again, apply what is different\n"
    "  SIGUSR1          reopen the file of records, for logrotate\n";

Error wrong_usage(std::string problem) {
  std::ranges::replace_if(
      problem, [](unsigned char c) { return c < 0x20 || c == 0x7f; }, ' ');
  return usage_error(problem + "; see xdpflowd --help");
}

}  // namespace

Result<CommandLine> parse_command_line(int argc, const char* const* argv, const std::string& version) {
  DaemonArguments arguments;
  std::string log_level;
  CLI::App app(description, "xdpflowd");
  app.footer(footer);
  app.set_version_flag("--version", "xdpflowd " + version,
                       "Print the version and what this kernel has, and exit");
  app.add_option("--config", arguments.config, "The configuration file (default: " + arguments.config + ")")
      ->type_name("FILE");
  app.add_flag("--check", arguments.check, "Validate the configuration, say what is wrong, and exit");
  auto* level =
      app.add_option("--log-level", log_level, "trace, debug, info, warn or error; wins over the file")
          ->type_name("LEVEL");
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    return CommandLine(PrintAndExit{.text = app.help()});
  } catch (const CLI::CallForVersion& called) {
    return CommandLine(PrintAndExit{.text = std::string(called.what()) + "\n", .version = true});
  } catch (const CLI::Error& error) {
    return wrong_usage(error.what());
  }
  if (level->count() > 0) {
    auto parsed = parse_log_level(log_level);
    if (!parsed) return wrong_usage("--log-level: " + parsed.error().message);
    arguments.log_level = *parsed;
  }
  return CommandLine(std::move(arguments));
}

}  // namespace xdpflowd

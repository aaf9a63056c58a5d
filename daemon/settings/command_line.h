// SPDX-License-Identifier: GPL-2.0-or-later
// The daemon's arguments.
#pragma once

#include <optional>
#include <string>
#include <variant>

#include "base/result.h"
#include "settings/settings.h"

namespace xdpflowd {

struct DaemonArguments {
  std::string config = "/etc/xdpflowd/xdpflowd.toml";
  bool check = false;                 // validate the file and exit
  std::optional<LogLevel> log_level;  // set: wins over the file
};

/// --help or --version: print to stdout and exit with 0.
struct PrintAndExit {
  std::string text;
  bool version = false;  // what this kernel has may follow
};

using CommandLine = std::variant<DaemonArguments, PrintAndExit>;

/// Wrong usage is a usage error of one line.
Result<CommandLine> parse_command_line(int argc, const char* const* argv, const std::string& version);

}  // namespace xdpflowd

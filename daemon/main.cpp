// SPDX-License-Identifier: GPL-2.0-or-later
// Arguments and file -> settings -> App -> exit code.

#include <exception>
#include <iostream>

#include "app.h"
#include "base/log_output.h"
#include "dataplane/kernel.h"
#include "settings/command_line.h"
#include "settings/config_file.h"

namespace xdpflowd {
namespace {

int exit_code(const Error& error) {
  return error.kind == Error::Kind::usage ? 2 : 1;
}

/// What the file says, and the command line above it.
Result<Settings> settings_of(const DaemonArguments& arguments) {
  auto settings = load_settings(arguments.config, installed_ram_bytes());
  if (settings && arguments.log_level) settings->daemon.log_level = *arguments.log_level;
  return settings;
}

int refuse(const Error& error) {
  std::cerr << "xdpflowd: " << error.message << '\n';
  return exit_code(error);
}

int check(const Settings& settings, const std::string& file) {
  for (const auto& warning : settings.warnings) std::cerr << "xdpflowd: warning: " << warning << '\n';
  std::cout << file << ": valid\n";
  return 0;
}

int serve(const Settings& settings, SettingsLoader load) {
  auto app = App::start(settings, std::move(load));
  if (!app) {
    log::error("{}", app.error().message);
    return exit_code(app.error());
  }
  const auto code = (*app)->run();
  if (code) return *code;
  log::error("{}", code.error().message);
  return exit_code(code.error());
}

int run(int argc, char** argv) {
  block_signals();
  const auto line = parse_command_line(argc, argv, XDPFLOWD_VERSION);
  if (!line) return refuse(line.error());
  if (const auto* print = std::get_if<PrintAndExit>(&*line)) {
    std::cout << print->text;
    if (print->version) std::cout << features_line() << '\n';
    return 0;
  }
  const auto& arguments = std::get<DaemonArguments>(*line);
  const auto settings = settings_of(arguments);
  if (!settings) return refuse(settings.error());
  if (arguments.check) return check(*settings, arguments.config);
  start_log(settings->daemon.log_level);
  return serve(*settings, [arguments] { return settings_of(arguments); });
}

}  // namespace
}  // namespace xdpflowd

int main(int argc, char** argv) {
  try {
    return xdpflowd::run(argc, argv);
  } catch (const std::exception& unexpected) {
    std::cerr << "xdpflowd: " << unexpected.what() << '\n';
    return 1;
  }
}

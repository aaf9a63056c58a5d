// SPDX-License-Identifier: GPL-2.0-or-later
// xdpflowctl: reads the pinned maps, so it works whether the daemon runs or not.
#include <sys/ioctl.h>
#include <unistd.h>

#include <csignal>
#include <exception>
#include <iostream>

#include "ctl/arguments.h"
#include "ctl/commands.h"
#include "dataplane/kernel.h"

namespace xdpflowd {
namespace {

/// 0 where stdout is no terminal: lines are then as long as they must be.
size_t terminal_width() {
  winsize size{};
  return isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

int refuse(const Error& error) {
  std::cerr << "xdpflowctl: " << error.message << '\n';
  return error.kind == Error::Kind::usage ? 2 : 1;
}

int run(int argc, char** argv) {
  // A reader that has seen enough (`| head`) is no error: the write fails, and the streams stop.
  std::signal(SIGPIPE, SIG_IGN);
  const auto arguments = parse_arguments(argc, argv, XDPFLOWD_VERSION);
  if (!arguments) return refuse(arguments.error());
  if (!arguments->answer.empty()) {
    std::cout << arguments->answer;
    if (arguments->version) std::cout << features_line() << '\n';
    std::cout << std::flush;
    return 0;
  }
  const auto done = execute(*arguments, std::cout, terminal_width());
  if (!done) return refuse(done.error());
  std::cout.flush();
  if (!std::cout && errno != EPIPE) return refuse(system_error(errno, "cannot write the answer"));
  return 0;
}

}  // namespace
}  // namespace xdpflowd

int main(int argc, char** argv) {
  try {
    return xdpflowd::run(argc, argv);
  } catch (const std::exception& unexpected) {
    std::cerr << "xdpflowctl: " << unexpected.what() << '\n';
    return 1;
  }
}

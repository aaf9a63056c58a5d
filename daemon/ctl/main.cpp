// SPDX-License-Identifier: GPL-2.0-or-later
// xdpflowctl: reads the pinned maps, so it works whether the daemon runs or not.
#include <poll.h>
#include <unistd.h>

#include <csignal>
#include <exception>
#include <iostream>

#include "ctl/arguments.h"
#include "ctl/commands.h"
#include "ctl/terminal.h"
#include "dataplane/kernel.h"

namespace xdpflowd {
namespace {

int refuse(const Error& error) {
  std::cerr << "xdpflowctl: " << error.message << '\n';
  return error.kind == Error::Kind::usage ? 2 : 1;
}

/// errno is another call's by the time that a stream says that a write has failed.
bool has_reader_gone() {
  pollfd out{STDOUT_FILENO, POLLOUT, 0};
  return poll(&out, 1, 0) == 1 && (out.revents & (POLLERR | POLLHUP)) != 0;
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
  if (!std::cout && !has_reader_gone()) return refuse(system_error(errno, "cannot write the answer"));
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

// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

namespace xdpflowd {

bool is_terminal() {
  return isatty(STDOUT_FILENO) != 0;
}

size_t terminal_width() {
  winsize size{};
  return is_terminal() && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

}  // namespace xdpflowd

// SPDX-License-Identifier: GPL-2.0-or-later
// kill -9 at a chosen step of a start.
#pragma once

#include <string>
#include <vector>

#include "daemon_lab.h"

namespace xdpflowd::test {

/// A system call, and which one of its name it is.
struct Step {
  std::string call;
  unsigned number = 0;
};

std::string name_of(const Step& step);

class CrashLab : public PlainLab {
 protected:
  /// Those of a start that is let run, which change something in the kernel.
  std::vector<Step> steps() const;
  void start_and_die_at(const Step& step) const;

  DaemonConfig config = {
      .rest = "[timeouts]\nudp = \"1h\"\n[zone.default]\nmax_flows = 4096\nmax_half_open = 4096\n"};

 private:
  Argv traced(const Argv& strace) const;
};

}  // namespace xdpflowd::test

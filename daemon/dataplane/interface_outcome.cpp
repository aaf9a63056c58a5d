// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/interface_outcome.h"

#include "base/log.h"

namespace xdpflowd {

void report(const InterfaceOutcome& outcome) {
  if (!is_attached(outcome)) return log::warn("{}", outcome.reason);
  log::info("{}: attached in {} mode{}", outcome.name, outcome.mode == XF_MODE_NATIVE ? "native" : "generic",
            outcome.dispatcher ? ", under libxdp's dispatcher" : ", as the only XDP program");
}

}  // namespace xdpflowd

// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/interface_outcome.h"

#include <spdlog/spdlog.h>

namespace xdpflowd {

void report(const InterfaceOutcome& outcome) {
  if (!is_attached(outcome)) return spdlog::warn("{}", outcome.reason);
  spdlog::info("{}: attached in {} mode{}", outcome.name,
               outcome.mode == XF_MODE_NATIVE ? "native" : "generic",
               outcome.dispatcher ? ", under libxdp's dispatcher" : ", as the only XDP program");
}

}  // namespace xdpflowd

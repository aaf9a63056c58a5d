// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/flow_carrier.h"

#include <cerrno>
#include <chrono>
#include <optional>
#include <thread>

#include "flow/decode.h"

namespace xdpflowd {
namespace {

constexpr int attempts = 5;
constexpr auto pause = std::chrono::milliseconds(20);

Result<StructTranslator> complete(const FormerState& former, const std::string& type,
                                  const std::vector<std::string>& needed) {
  auto plan = former.translator(type);
  if (!plan) return plan;
  const auto lacking = plan->lacking(needed);
  if (!lacking.empty()) return fail("struct " + type + ": " + lacking);
  return plan;
}

}  // namespace

Result<FlowCarrier> FlowCarrier::of(const FormerState& former, const CarryClient& program) {
  auto keys = complete(former, "xf_flow_key",
                       {"low", "high", "low_port", "high_port", "l4_proto", "zone", "fragment"});
  if (!keys) return keys.error();
  auto flows =
      complete(former, "xf_flow",
               {"phase", "status.state", "status.flags", "last_seen_ns", "forward", "reverse", "created_ns"});
  if (!flows) return flows.error();
  report_losses("flows", *flows);
  return FlowCarrier(std::move(*keys), std::move(*flows), program);
}

Status FlowCarrier::carry(const std::string& pin, xf_table table) {
  auto former = FormerTable::open(pin, keys_.their_size(), flows_.their_size());
  if (!former && former.error().code == ENOENT) return ok();
  if (!former) return former.error();
  for (bool met_any = true; met_any;) {
    met_any = false;
    for (bool more = true; more;) {
      const auto read =
          former->next([this](const std::byte* key, const std::byte* flow) { take(key, flow); });
      if (!read) return read.error();
      more = *read;
      met_any = met_any || !bite_.empty();
      if (auto handed = hand_over(*former, table); !handed) return handed;
    }
  }
  return ok();
}

/// One that has ended has its record, and its time is over there.
void FlowCarrier::take(const std::byte* key, const std::byte* flow) {
  xf_adopted adopted{};
  flows_.translate(flow, &adopted.flow);
  if (!is_live(adopted.flow)) return;
  keys_.translate(key, &adopted.key);
  bite_.push_back(adopted);
  their_keys_.insert(their_keys_.end(), key, key + keys_.their_size());
}

/// What was in the way of some is soon gone: a flow that has ended, or another CPU at the same list.
Status FlowCarrier::hand_over(const FormerTable& former, xf_table table) {
  std::optional<uint32_t> left;
  for (int attempt = 0; attempt < attempts && left.value_or(1) > 0; ++attempt) {
    if (attempt > 0) std::this_thread::sleep_for(pause);
    const auto adopted = program_.adopt(table, bite_);
    if (!adopted) return adopted.error();
    left = *adopted;
  }
  refused_ += left.value_or(0);
  carried_ += bite_.size() - left.value_or(0);
  if (auto erased = former.erase(their_keys_); !erased) return erased;
  bite_.clear();
  their_keys_.clear();
  return ok();
}

}  // namespace xdpflowd

// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/flow_json.h"

#include "flow/json_object.h"

namespace xdpflowd {
namespace {

void append_flow(std::string& out, const Flow& flow) {
  JsonObject object(out);
  append_identity(object, flow);
  object.text("timer", flow.timer_name());
  append_counters(object, flow);
  object.seconds("age_seconds", flow.age_ns);
  object.seconds("idle_seconds", flow.idle_ns);
  object.seconds("expires_in_seconds", flow.expires_in_ns);
  object.close();
}

}  // namespace

FlowArray::FlowArray(std::ostream& out) : out_(out), writer_([this] { write_blocks(); }) {}

FlowArray::~FlowArray() {
  idle_.acquire();
  done_ = true;
  full_.release();
}

void FlowArray::add(const Flow& flow) {
  if (block_.size() == block_size) hand_over();
  block_.push_back(flow);
}

void FlowArray::close() {
  const bool empty = !begun_ && block_.empty();
  hand_over();
  idle_.acquire();
  out_ << (empty ? "]\n" : "\n]\n");
  idle_.release();
}

void FlowArray::hand_over() {
  idle_.acquire();
  if (!begun_) out_ << '[';
  begun_ = true;
  writing_.swap(block_);
  block_.clear();
  full_.release();
}

void FlowArray::write_blocks() {
  std::string lines;
  std::string_view before = "\n";
  for (full_.acquire(); !done_; full_.acquire()) {
    lines.clear();
    if (!out_) writing_.clear();  // its reader has seen enough
    for (const Flow& flow : writing_) {
      lines += before;
      before = ",\n";
      append_flow(lines, flow);
    }
    out_ << lines;
    idle_.release();
  }
}

void write_flow_array(std::ostream& out, std::span<const Flow> flows) {
  FlowArray array(out);
  for (const Flow& flow : flows) array.add(flow);
  array.close();
}

std::string number_answer(std::string_view name, uint64_t number, bool json) {
  std::string answer;
  if (!json) return std::to_string(number) + "\n";
  JsonObject object(answer);
  object.number(name, number);
  object.close();
  return answer + "\n";
}

}  // namespace xdpflowd

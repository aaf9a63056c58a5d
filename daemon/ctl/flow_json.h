// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <ostream>
#include <semaphore>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "flow/decode.h"

namespace xdpflowd {

/// An array, one flow per line, as they come: however many there are, it takes no more memory. A thread of
/// its own makes text of one block of flows while the next one is read.
class FlowArray {
 public:
  explicit FlowArray(std::ostream& out);  // the array's alone while it lives
  ~FlowArray();                           // what was not closed stays without its end
  FlowArray(const FlowArray&) = delete;
  FlowArray& operator=(const FlowArray&) = delete;

  void add(const Flow& flow);
  void close();
  /// Something is written, or about to be.
  bool begun() const { return begun_; }

 private:
  static constexpr size_t block_size = 1024;  // flows

  void hand_over();
  void write_blocks();

  std::ostream& out_;
  std::vector<Flow> block_;    // the caller's
  std::vector<Flow> writing_;  // the thread's until it is idle
  bool begun_ = false, done_ = false;
  std::binary_semaphore idle_{1}, full_{0};
  std::jthread writer_;
};

/// All of them, in their order, as a FlowArray.
void write_flow_array(std::ostream& out, std::span<const Flow> flows);

/// The answer of a command that is one number: "12", or {"flows":12} as JSON.
std::string number_answer(std::string_view name, uint64_t number, bool json);

}  // namespace xdpflowd

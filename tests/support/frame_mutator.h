// SPDX-License-Identifier: GPL-2.0-or-later
// Frames that nobody in his right mind sends: valid ones, mutated, and noise. The same seed makes the same
// ones.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "support/packet_builder.h"

namespace xdpflowd::test {

class FrameMutator {
 public:
  explicit FrameMutator(uint32_t seed);

  Bytes next();

 private:
  uint32_t below(size_t limit) { return static_cast<uint32_t>(random_() % limit); }
  Bytes noise();
  void mutate(Bytes& frame);
  void set_word(Bytes& frame);
  void cut(Bytes& frame);
  void repeat_part(Bytes& frame);
  void graft(Bytes& frame);

  std::minstd_rand random_;
  std::vector<Bytes> valid_;
};

/// As hexadecimal digits, for the message of a failure.
std::string hex(const Bytes& frame);

/// $XDPFLOWD_TEST_SEED, or always the same one.
uint32_t seed_of_this_run();
/// $XDPFLOWD_TEST_FRAMES, or as many as take a few seconds.
uint64_t frames_of_this_run();

}  // namespace xdpflowd::test

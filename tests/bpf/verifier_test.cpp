// SPDX-License-Identifier: GPL-2.0-or-later
// What the kernel's verifier has to do for each program. A million instructions is the most it follows: a
// change that comes near is seen here, not on the user's kernel. Measured for version 0.1 on 6.1, 6.12
// and 6.18 (the largest):
//
//            instructions          states          deepest frame
//   xdpflow  213 468 (6.1)    5 005 (6.18)    208 bytes
//   admin     88 234 (6.18)   3 129 (6.12)    184
//   probe     93 037 (6.1)      626 (6.1)     144
//   census        46 (6.12)       3             8
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <iostream>
#include <memory>
#include <regex>
#include <sstream>
#include <string>

#include "xdpflow/abi.h"

// The skeletons name types of the contract without including it.
#include "admin.skel.h"
#include "census.skel.h"
#include "probe.skel.h"
#include "xdpflow.skel.h"

namespace xdpflowd::test {
namespace {

constexpr uint32_t statistics_only = 4;  // BPF_LOG_STATS

struct Effort {
  uint32_t instructions = 0, states = 0, frame = 0;
};

std::ostream& operator<<(std::ostream& out, const Effort& effort) {
  return out << effort.instructions << " instructions, " << effort.states << " states, " << effort.frame
             << " bytes of stack";
}

uint32_t number_in(const std::string& log, const std::string& pattern) {
  std::smatch found;
  if (!std::regex_search(log, found, std::regex(pattern)))
    throw std::runtime_error("the verifier does not say \"" + pattern + "\": " + log);
  return static_cast<uint32_t>(std::stoul(found[1].str()));
}

/// "stack depth 160+96+0": of each function.
uint32_t deepest_frame(const std::string& log) {
  std::smatch found;
  if (!std::regex_search(log, found, std::regex("stack depth ([0-9+]+)")))
    throw std::runtime_error("the verifier does not tell the stack's depth: " + log);
  std::istringstream depths(found[1].str());
  uint32_t deepest = 0;
  for (std::string depth; std::getline(depths, depth, '+');)
    deepest = std::max(deepest, static_cast<uint32_t>(std::stoul(depth)));
  return deepest;
}

template <class Skeleton>
Effort effort_of(Skeleton* (*open)(), void (*destroy)(Skeleton*), const char* name) {
  const std::unique_ptr<Skeleton, void (*)(Skeleton*)> skeleton(open(), destroy);
  bpf_program* program = bpf_object__find_program_by_name(skeleton->obj, name);
  std::array<char, 4096> log{};
  bpf_program__set_log_level(program, statistics_only);
  bpf_program__set_log_buf(program, log.data(), log.size());
  if (bpf_object__load(skeleton->obj) != 0)
    throw std::runtime_error(std::string("the kernel refuses ") + name + ": " + log.data());
  const std::string said = log.data();
  return {number_in(said, "processed ([0-9]+) insns"), number_in(said, "peak_states ([0-9]+)"),
          deepest_frame(said)};
}

/// Also in the results of the run, where they can be compared.
void expect_at_most(const Effort& limit, const Effort& effort) {
  testing::Test::RecordProperty("instructions", static_cast<int>(effort.instructions));
  testing::Test::RecordProperty("states", static_cast<int>(effort.states));
  testing::Test::RecordProperty("frame", static_cast<int>(effort.frame));
  EXPECT_LE(effort.instructions, limit.instructions);
  EXPECT_LE(effort.states, limit.states);
  EXPECT_LE(effort.frame, limit.frame);
  std::cout << effort << '\n';
}

TEST(Verifier, FollowsThePacketProgramWithinItsLimits) {
  expect_at_most({.instructions = 300'000, .states = 7'000, .frame = 256},
                 effort_of(xdpflow_bpf__open, xdpflow_bpf__destroy, "xdpflow"));
}

TEST(Verifier, FollowsTheAdminProgramWithinItsLimits) {
  expect_at_most({.instructions = 125'000, .states = 4'500, .frame = 224},
                 effort_of(admin_bpf__open, admin_bpf__destroy, "admin"));
}

TEST(Verifier, FollowsTheProbeProgramWithinItsLimits) {
  expect_at_most({.instructions = 130'000, .states = 900, .frame = 184},
                 effort_of(probe_bpf__open, probe_bpf__destroy, "probe"));
}

TEST(Verifier, FollowsTheCensusWithinItsLimits) {
  const Effort effort = effort_of(census_bpf__open, census_bpf__destroy, "census");
  expect_at_most({.instructions = 100, .states = 10, .frame = 32}, effort);
}

}  // namespace
}  // namespace xdpflowd::test

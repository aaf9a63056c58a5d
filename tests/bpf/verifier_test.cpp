// SPDX-License-Identifier: GPL-2.0-or-later
// What the kernel's verifier has to do for each program. A million instructions is the most it follows: a
// change that comes near is seen here, not on a user's kernel. The limits leave a third of room or more above
// what was measured for version 0.1, since kernels follow in different ways:
//
//            instructions                           states                           deepest frame
//            6.1       6.12      6.18      7.3      6.1     6.12    6.18    7.3
//   xdpflow   70 933    61 554    69 334    68 868  3 845   3 465   3 798   3 154   160 bytes
//   admin     14 855    36 797    30 301    31 033  1 006   2 248   1 667   3 441   112
//   carry     30 353    88 833   125 535    85 682  1 652   2 507   2 484  11 562   184
//   probe     15 426    11 366    11 518    12 144    393     353     353     387   152
//   census        75       120       120       120      7      11      11      11    32
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/utsname.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <iostream>
#include <memory>
#include <regex>
#include <sstream>
#include <string>
#include <utility>

#include "xdpflow/abi.h"

// The skeletons name types of the contract without including it.
#include "admin.skel.h"
#include "carry.skel.h"
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

/// "stack depth 160+96+0" of all functions; since 7.3 "stack 160" in a line for each.
uint32_t deepest_frame(const std::string& log) {
  const std::regex said("stack (?:depth )?([0-9][0-9+]*)");
  uint32_t deepest = 0;
  for (auto found = std::sregex_iterator(log.begin(), log.end(), said); found != std::sregex_iterator();
       ++found) {
    std::istringstream depths((*found)[1].str());
    for (std::string depth; std::getline(depths, depth, '+');)
      deepest = std::max(deepest, static_cast<uint32_t>(std::stoul(depth)));
  }
  if (deepest == 0) throw std::runtime_error("the verifier does not tell the stack's depth: " + log);
  return deepest;
}

template <class Skeleton>
Effort effort_of(Skeleton* (*open)(), void (*destroy)(Skeleton*), const char* name) {
  const std::unique_ptr<Skeleton, void (*)(Skeleton*)> skeleton(open(), destroy);
  bpf_program* program = bpf_object__find_program_by_name(skeleton->obj, name);
  std::array<char, 16'384> log{};
  bpf_program__set_log_level(program, statistics_only);
  bpf_program__set_log_buf(program, log.data(), log.size());
  if (bpf_object__load(skeleton->obj) != 0)
    throw std::runtime_error(std::string("the kernel refuses ") + name + ": " + log.data());
  const std::string said = log.data();
  return {number_in(said, "processed ([0-9]+) insns"), number_in(said, "peak_states ([0-9]+)"),
          deepest_frame(said)};
}

std::pair<unsigned, unsigned> kernel() {
  utsname name{};
  unsigned major = 0, minor = 0;
  if (uname(&name) != 0 || std::sscanf(name.release, "%u.%u", &major, &minor) != 2)
    throw std::runtime_error("what kernel is this?");
  return {major, minor};
}

struct Limits {
  Effort before_6_12, since_6_12, since_7_0;

  const Effort& of_this_kernel() const {
    if (kernel() < std::pair(6U, 12U)) return before_6_12;
    return kernel() < std::pair(7U, 0U) ? since_6_12 : since_7_0;
  }
};

/// What was measured is in the results of the run too, where it can be compared.
void expect_within(const Limits& limits, const Effort& effort) {
  std::cout << effort << '\n';
  testing::Test::RecordProperty("instructions", static_cast<int>(effort.instructions));
  testing::Test::RecordProperty("states", static_cast<int>(effort.states));
  testing::Test::RecordProperty("frame", static_cast<int>(effort.frame));
  const Effort& limit = limits.of_this_kernel();
  EXPECT_LE(effort.instructions, limit.instructions);
  EXPECT_LE(effort.states, limit.states);
  EXPECT_LE(effort.frame, limit.frame);
}

TEST(Verifier, FollowsThePacketProgramWithinItsLimits) {
  expect_within({.before_6_12 = {95'000, 5'200, 224},
                 .since_6_12 = {95'000, 5'200, 224},
                 .since_7_0 = {95'000, 5'000, 224}},
                effort_of(xdpflow_bpf__open, xdpflow_bpf__destroy, "xdpflow"));
}

TEST(Verifier, FollowsTheAdminProgramWithinItsLimits) {
  expect_within({.before_6_12 = {30'000, 2'000, 192},
                 .since_6_12 = {60'000, 4'000, 192},
                 .since_7_0 = {50'000, 6'000, 192}},
                effort_of(admin_bpf__open, admin_bpf__destroy, "admin"));
}

TEST(Verifier, FollowsTheCarryProgramWithinItsLimits) {
  expect_within({.before_6_12 = {55'000, 3'000, 232},
                 .since_6_12 = {170'000, 4'000, 232},
                 .since_7_0 = {130'000, 20'000, 232}},
                effort_of(carry_bpf__open, carry_bpf__destroy, "carry"));
}

TEST(Verifier, FollowsTheProbeProgramWithinItsLimits) {
  expect_within(
      {.before_6_12 = {21'000, 600, 192}, .since_6_12 = {16'000, 500, 192}, .since_7_0 = {17'000, 550, 192}},
      effort_of(probe_bpf__open, probe_bpf__destroy, "probe"));
}

TEST(Verifier, FollowsTheCensusWithinItsLimits) {
  expect_within({.before_6_12 = {200, 20, 48}, .since_6_12 = {200, 20, 48}, .since_7_0 = {250, 30, 48}},
                effort_of(census_bpf__open, census_bpf__destroy, "census"));
}

}  // namespace
}  // namespace xdpflowd::test

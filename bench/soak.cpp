// SPDX-License-Identifier: GPL-2.0-or-later
// The CPU that no process is charged for, for benches that are scripts: for each line on stdin one on stdout,
// the milliseconds of all CPUs since the one before. With arguments, it first makes room for so many timers.
//
// usage: soak [TIMERS]
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>

#include "soaker.h"
#include "support/timers.h"

int main(int argc, char** argv) {
  if (argc > 1)
    if (auto primed = xdpflowd::test::prime_timers(std::strtoul(argv[1], nullptr, 10)); !primed) {
      std::fprintf(stderr, "soak: %s\n", primed.error().message.c_str());
      return 1;
    }
  xdpflowd::bench::Soaker soaker;
  for (std::string line; std::getline(std::cin, line);) {
    std::printf("%.3f\n", soaker.lost_ms());
    std::fflush(stdout);
  }
}

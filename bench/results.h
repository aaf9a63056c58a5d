// SPDX-License-Identifier: GPL-2.0-or-later
// What a bench says: one JSON object per line on stdout, as README.md has it.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace xdpflowd::bench {

/// One per round: the i-th samples of all that is compared were taken in the same round.
using Samples = std::vector<double>;

double median(Samples samples);
/// Round by round.
Samples ratio(const Samples& of, const Samples& to);
Samples difference(const Samples& of, const Samples& to);

struct Measured {
  std::string table, row, column, unit;
  Samples samples;
  std::string base;  ///< the column of the same row of which this is a multiple; "" for none
  double x = -1;     ///< where the row is in a plot; negative: nowhere
};

struct Goal {
  std::string what, unit;
  Samples samples;
  double at_most;
};

class Results {
 public:
  explicit Results(std::string bench) : bench_(std::move(bench)) {}
  void add(const Measured& measured) const;
  void add(const Goal& goal) const;
  void note(const std::string& text) const;

 private:
  std::string bench_;
};

/// The main function of the bench `name`: its exit status.
int bench_main(const std::string& name, int argc, char** argv,
               const std::function<void(bool quick)>& measure);

/// Progress, for whoever waits: to stderr.
void say(const std::string& text);

}  // namespace xdpflowd::bench

// SPDX-License-Identifier: GPL-2.0-or-later
#include "results.h"

#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>

namespace xdpflowd::bench {
namespace {

Samples combine(const Samples& left, const Samples& right, double (*operation)(double, double)) {
  Samples combined;
  for (size_t i = 0; i < std::min(left.size(), right.size()); i++)
    combined.push_back(operation(left[i], right[i]));
  return combined;
}

void print(const nlohmann::ordered_json& line) {
  std::cout << line.dump() << std::endl;
}

}  // namespace

double median(Samples samples) {
  if (samples.empty()) return 0;
  std::sort(samples.begin(), samples.end());
  const size_t half = samples.size() / 2;
  return samples.size() % 2 ? samples[half] : (samples[half - 1] + samples[half]) / 2;
}

Samples ratio(const Samples& of, const Samples& to) {
  return combine(of, to, [](double a, double b) { return a / b; });
}

Samples difference(const Samples& of, const Samples& to) {
  return combine(of, to, [](double a, double b) { return a - b; });
}

void Results::add(const Measured& measured) const {
  nlohmann::ordered_json line{{"bench", bench_},       {"table", measured.table},
                              {"row", measured.row},   {"column", measured.column},
                              {"unit", measured.unit}, {"samples", measured.samples}};
  if (!measured.base.empty()) line["base"] = measured.base;
  if (measured.x >= 0) line["x"] = measured.x;
  print(line);
}

void Results::add(const Goal& goal) const {
  print({{"bench", bench_},
         {"goal", goal.what},
         {"unit", goal.unit},
         {"samples", goal.samples},
         {"at_most", goal.at_most}});
}

void Results::note(const std::string& text) const {
  print({{"bench", bench_}, {"note", text}});
}

int bench_main(const std::string& name, int argc, char** argv,
               const std::function<void(bool quick)>& measure) {
  const bool quick = argc == 2 && std::string(argv[1]) == "--quick";
  if (argc > 1 && !quick) {
    say("usage: " + name + " [--quick]");
    return 2;
  }
  try {
    measure(quick);
    return 0;
  } catch (const std::exception& error) {
    say(name + ": " + error.what());
    return 1;
  }
}

void say(const std::string& text) {
  std::cerr << text << std::endl;
}

}  // namespace xdpflowd::bench

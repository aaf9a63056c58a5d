// SPDX-License-Identifier: GPL-2.0-or-later
// Configurations that are refused, and what the message must say.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ostream>
#include <string>

#include "settings/config_file.h"

namespace xdpflowd {

/// The rest of a file whose first line is `[[interface]]`, second `name = "wan0"`.
inline const std::string with_interface = "[[interface]]\nname = \"wan0\"\n";

/// "" if the text is accepted.
inline std::string error_of(const std::string& text) {
  constexpr uint64_t ram_bytes = uint64_t{64} << 30;
  constexpr unsigned cpus = 2;
  auto settings = parse_settings(text, "x.toml", ram_bytes, cpus);
  if (settings) return "";
  EXPECT_EQ(settings.error().kind, Error::Kind::usage);
  EXPECT_THAT(settings.error().message, testing::Not(testing::HasSubstr("\n")));
  return settings.error().message;
}

inline std::string repeated(const std::string& text, int times) {
  std::string result;
  for (int i = 0; i < times; ++i) result += text;
  return result;
}

struct BadInput {
  std::string text;
  std::string place;
  std::string problem;  // found in the message
  std::string advice;   // found behind the semicolon
};

inline void PrintTo(const BadInput& bad, std::ostream* out) {
  *out << testing::PrintToString(bad.text);
}

inline void expect_refusal(const BadInput& bad) {
  const std::string message = error_of(bad.text);
  EXPECT_THAT(message, testing::StartsWith("x.toml:" + bad.place + ": ")) << bad.text;
  EXPECT_THAT(message.substr(0, message.find(';')), testing::HasSubstr(bad.problem)) << bad.text;
  ASSERT_NE(message.find(';'), message.npos) << message;
  EXPECT_THAT(message.substr(message.find(';')), testing::HasSubstr(bad.advice)) << bad.text;
}

}  // namespace xdpflowd

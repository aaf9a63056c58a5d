// SPDX-License-Identifier: GPL-2.0-or-later
// Files that no operator means, but that reach a daemon all the same: tests/unit/hostile_configs. The first
// line of each is a comment with the message that it must get, without the file's name; NAME.message has it
// where NAME.toml cannot begin with a comment.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <string>
#include <vector>

#include "bad_input.h"

namespace xdpflowd {
namespace {

using std::filesystem::path;

std::string text_of(const path& file) {
  std::ifstream in(file, std::ios::binary);
  EXPECT_TRUE(in) << file;
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

std::vector<path> hostile_files() {
  std::vector<path> files;
  for (const auto& entry :
       std::filesystem::directory_iterator(XDPFLOWD_SOURCE_DIR "/tests/unit/hostile_configs"))
    if (entry.path().extension() == ".toml") files.push_back(entry.path());
  std::ranges::sort(files);
  return files;
}

/// "LINE:COLUMN: what is wrong; what would be right"
std::string wanted_message(const path& file) {
  path beside = file;
  beside.replace_extension(".message");
  if (std::filesystem::exists(beside)) return first_line(text_of(beside));
  const std::string comment = first_line(text_of(file));
  EXPECT_TRUE(comment.starts_with("# ")) << file << " says nowhere what its message is";
  return comment.substr(std::min<size_t>(2, comment.size()));
}

TEST(HostileConfigs, AreRefusedWithTheMessageThatTheyName) {
  for (const path& file : hostile_files())
    EXPECT_EQ(error_of(text_of(file)), "x.toml:" + wanted_message(file)) << file;
}

TEST(HostileConfigs, AreToldWhereTheyAreWrongAndWhatWouldBeRight) {
  static const std::regex form("[1-9][0-9]*:[1-9][0-9]*: [^ ].*; [^ ].*");
  for (const path& file : hostile_files())
    EXPECT_TRUE(std::regex_match(wanted_message(file), form)) << file << ": " << wanted_message(file);
}

TEST(HostileConfigs, AreMany) {
  EXPECT_GE(hostile_files().size(), 200U);
}

}  // namespace
}  // namespace xdpflowd

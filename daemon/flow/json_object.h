// SPDX-License-Identifier: GPL-2.0-or-later
// One JSON object on one line, appended to a string: for output of which there may be a hundred thousand a
// second.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "flow/decode.h"

namespace xdpflowd {

class JsonObject {
 public:
  explicit JsonObject(std::string& out) : out_(out) { out_ += '{'; }

  /// `value` must need no escaping, as names, addresses and times do not.
  void text(std::string_view key, std::string_view value);
  /// Any value, escaped where it must be.
  void escaped(std::string_view key, std::string_view value);
  void number(std::string_view key, uint64_t value);
  void boolean(std::string_view key, bool value);
  void null(std::string_view key);
  void seconds(std::string_view key, int64_t nanoseconds);  // not negative; nine decimals, exact
  void address(std::string_view key, const xf_addr& value);
  void close() { out_ += '}'; }

 private:
  void key(std::string_view name);

  std::string& out_;
  bool first_ = true;
};

/// The members, in their order, by which live flows and records say who talks, and how far the conversation
/// got.
void append_identity(JsonObject& object, const Conversation& conversation);

/// The members, in their order, that count.
void append_counters(JsonObject& object, const Conversation& conversation);

}  // namespace xdpflowd

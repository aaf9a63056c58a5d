// SPDX-License-Identifier: GPL-2.0-or-later
#include "flow/json_object.h"

#include <charconv>

#include "flow/names.h"

namespace xdpflowd {
namespace {

void append_number(std::string& out, uint64_t value) {
  char digits[20];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
}

void append_escaped(std::string& out, char c) {
  constexpr std::string_view hex = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(c);
  if (byte < 0x20) {
    out += "\\u00";
    out += hex[byte >> 4];
    out += hex[byte & 0xf];
    return;
  }
  if (c == '"' || c == '\\') out += '\\';
  out += c;
}

}  // namespace

void JsonObject::key(std::string_view name) {
  if (!first_) out_ += ',';
  first_ = false;
  out_ += '"';
  out_ += name;
  out_ += "\":";
}

void JsonObject::text(std::string_view name, std::string_view value) {
  key(name);
  out_ += '"';
  out_ += value;
  out_ += '"';
}

void JsonObject::escaped(std::string_view name, std::string_view value) {
  key(name);
  out_ += '"';
  for (const char c : value) append_escaped(out_, c);
  out_ += '"';
}

void JsonObject::boolean(std::string_view name, bool value) {
  key(name);
  out_ += value ? "true" : "false";
}

void JsonObject::null(std::string_view name) {
  key(name);
  out_ += "null";
}

void JsonObject::number(std::string_view name, uint64_t value) {
  key(name);
  append_number(out_, value);
}

void JsonObject::seconds(std::string_view name, int64_t nanoseconds) {
  constexpr uint64_t second = 1'000'000'000;
  const auto value = static_cast<uint64_t>(nanoseconds);
  key(name);
  append_number(out_, value / second);
  const size_t point = out_.size();
  append_number(out_,
                second + value % second);  // the leading 1 keeps the zeros, and makes room for the point
  out_[point] = '.';
}

void JsonObject::address(std::string_view name, const xf_addr& value) {
  key(name);
  out_ += '"';
  append_address(out_, value);
  out_ += '"';
}

void append_identity(JsonObject& object, const Conversation& conversation) {
  object.text("zone", conversation.zone);
  object.text("protocol", protocol_name(conversation.protocol));
  object.address("source", conversation.source);
  object.number("source_port", conversation.source_port);
  object.address("destination", conversation.destination);
  object.number("destination_port", conversation.destination_port);
  object.text("state", conversation.state_name());
  object.text("table", conversation.table_name());
  object.text("direction", conversation.direction_name());
}

void append_counters(JsonObject& object, const Conversation& conversation) {
  object.number("packets_forward", conversation.forward.packets);
  object.number("bytes_forward", conversation.forward.bytes);
  object.number("packets_reverse", conversation.reverse.packets);
  object.number("bytes_reverse", conversation.reverse.bytes);
  object.number("icmp_errors", conversation.icmp_errors);
}

}  // namespace xdpflowd

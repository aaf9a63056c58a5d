// SPDX-License-Identifier: GPL-2.0-or-later
#include "settings/toml_reader.h"

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

#include "settings/suggestion.h"

namespace xdpflowd {
namespace {

FilePlace place_at(const std::string& file, const toml::source_region& region) {
  return {file, static_cast<unsigned>(region.begin.line), static_cast<unsigned>(region.begin.column)};
}

const char* type_of(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::table:
      return "a table";
    case toml::node_type::array:
      return node.is_array_of_tables() ? "an array of tables" : "an array";
    case toml::node_type::string:
      return "a string";
    case toml::node_type::integer:
      return "an integer";
    case toml::node_type::floating_point:
      return "a floating-point number";
    case toml::node_type::boolean:
      return "a boolean";
    default:
      return "a date or time";
  }
}

/// What to do about an error of the TOML parser, told by words of its message: the first that fit.
constexpr std::array<std::pair<std::string_view, std::string_view>, 19> syntax_advice{{
    {"cannot redefine existing array", "write [[interface]] or [[target]] in double brackets each time"},
    {"cannot redefine", "give each key and each table once"},
    {"could not determine value type", "write \"text\" in quotes or a whole number"},
    {"expected value", "write \"text\" in quotes or a whole number"},
    {"expected '='", "write key = value"},
    {"utf-8", "save the file as UTF-8"},
    {"nested", "no key needs as many brackets"},
    {"after '\\r'", "end lines with a line feed"},
    {"in comments", "remove the control character"},
    {"comment or whitespace", "write each key = value and each [section] on a line of its own"},
    {"in root table", "write key = value, [section] or # a comment"},
    {"in inline table", "write [section] above its keys instead of braces"},
    {"in array", "write [\"a\", \"b\"]"},
    {"in table header", "write [section], or [[interface]] and [[target]]"},
    {"in key", "write each name of a key or [section] in letters, digits, '_' and '-'"},
    {"in boolean", "write true or false in small letters"},
    {"string", "end a string on its line with the quote it begins with, and double each backslash in it"},
    {"unicode", "write \\u and four hexadecimal digits, or the character itself"},
    {"", "write a number in digits alone, and all else, such as an address or a duration, in quotes"},
}};

Error syntax_error(const std::string& file, const toml::parse_error& error) {
  static constexpr std::string_view preamble = "Error while parsing ";
  std::string problem(error.description());
  problem = problem.starts_with(preamble) ? " in " + problem.substr(preamble.size()) : ": " + problem;
  const auto fits = [&](const auto& advice) { return problem.find(advice.first) != std::string::npos; };
  const std::string advice(std::ranges::find_if(syntax_advice, fits)->second);
  return place_at(file, error.source()).error("syntax error" + problem + "; " + advice);
}

/// A string ends on its line, unless it has triple quotes: on such a line every dot counts.
int64_t dots_outside_strings(std::string_view line) {
  const auto has = [&](std::string_view quotes) { return line.find(quotes) != std::string_view::npos; };
  if (has("\"\"\"") || has("'''")) return std::ranges::count(line, '.');
  int64_t dots = 0;
  char quote = 0;
  for (size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (quote == '"' && c == '\\') {
      ++i;
    } else if (quote != 0) {
      if (c == quote) quote = 0;
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == '#') {
      break;
    } else if (c == '.') {
      ++dots;
    }
  }
  return dots;
}

/// toml++ destroys nested tables by recursion: a key of many thousand parts would overflow the stack.
Status refuse_deep_keys(std::string_view text, const std::string& file) {
  constexpr auto dots_max = 32;
  unsigned line_number = 1;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    if (dots_outside_strings(line) > dots_max) {
      return FilePlace{file, line_number, 1}.error("more than 32 dots in one line; no key needs as many");
    }
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    ++line_number;
  }
  return ok();
}

}  // namespace

std::string FilePlace::text() const {
  return file + ":" + std::to_string(line) + ":" + std::to_string(column) + ": ";
}

Error FilePlace::error(const std::string& problem) const {
  return usage_error(printable(text() + problem));
}

TomlTable::TomlTable(FilePlace place, std::string title, std::string prefix, const toml::table& table)
    : place_(std::move(place)), title_(std::move(title)), prefix_(std::move(prefix)), table_(&table) {}

std::vector<TomlValue> TomlTable::values() const {
  struct Written {
    const toml::key* key;
    const toml::node* node;
  };
  std::vector<Written> in_order;
  in_order.reserve(table_->size());
  for (const auto& [key, node] : *table_) in_order.push_back({&key, &node});
  std::ranges::sort(in_order, {}, [](const Written& written) {
    const auto& begin = written.key->source().begin;
    return std::pair(begin.line, begin.column);
  });
  std::vector<TomlValue> values;
  values.reserve(in_order.size());
  for (const auto& [key, node] : in_order) values.emplace_back(place_.file, prefix_, *key, *node);
  return values;
}

Status TomlTable::read(const std::vector<TomlKey>& keys) const {
  for (const TomlValue& value : values()) {
    const auto known = std::ranges::find(keys, value.key(), &TomlKey::name);
    if (known == keys.end()) {
      std::vector<std::string_view> names;
      for (const TomlKey& key : keys) names.push_back(key.name);
      return value.key_place().error("unknown key " + in_quotes(value.key()) + " in " + title_ + "; " +
                                     suggestion(value.key(), names));
    }
    if (auto status = known->read(value); !status) return status;
  }
  return ok();
}

FilePlace TomlTable::place_of(std::string_view key) const {
  const toml::node* node = table_->get(key);
  return node == nullptr ? place_ : place_at(place_.file, node->source());
}

TomlValue::TomlValue(const std::string& file, const std::string& prefix, const toml::key& key,
                     const toml::node& node)
    : key_(key.str()), name_(prefix + key_), key_place_(place_at(file, key.source())), node_(&node) {}

Error TomlValue::error(const std::string& problem) const {
  return place_at(key_place_.file, node_->source()).error(name_ + ": " + problem);
}

Error TomlValue::wrong_type(const toml::node& found, const std::string& advice) const {
  return place_at(key_place_.file, found.source())
      .error(name_ + " is " + type_of(found) + "; write " + advice);
}

Result<std::string> TomlValue::text(std::string_view example) const {
  if (const auto* value = node_->as_string()) return value->get();
  return wrong_type(*node_, "a string, such as \"" + std::string(example) + "\"");
}

Result<int64_t> TomlValue::integer(const IntegerRange& range) const {
  const std::string why = range.why_least.empty() ? "" : " (" + std::string(range.why_least) + ")";
  const std::string advice = std::to_string(range.least) + why + " to " + std::to_string(range.most);
  const auto* value = node_->as_integer();
  if (value == nullptr) return wrong_type(*node_, "an integer, " + advice);
  if (value->get() < range.least || value->get() > range.most) {
    return error(std::to_string(value->get()) + " is out of range; write " + advice);
  }
  return value->get();
}

Status TomlValue::read(bool& out) const {
  const auto* value = node_->as_boolean();
  if (value == nullptr) return wrong_type(*node_, "true or false, without quotes");
  out = value->get();
  return ok();
}

Result<TomlTable> TomlValue::table(const std::string& advice) const {
  const auto* value = node_->as_table();
  if (value == nullptr) return wrong_type(*node_, advice);
  return TomlTable(key_place_, "[" + name_ + "]", name_ + ".", *value);
}

Result<std::vector<TomlTable>> TomlValue::tables() const {
  const std::string title = "[[" + name_ + "]]";
  const std::string advice = title + " in double brackets above its keys";
  const auto* elements = node_->as_array();
  if (elements == nullptr) return wrong_type(*node_, advice);

  std::vector<TomlTable> tables;
  for (const toml::node& element : *elements) {
    const auto* table = element.as_table();
    if (table == nullptr) return wrong_type(element, advice);
    tables.emplace_back(place_at(key_place_.file, element.source()), title, name_ + ".", *table);
  }
  return tables;
}

Result<std::vector<TomlValue>> TomlValue::elements(size_t most, std::string_view example) const {
  const auto* array = node_->as_array();
  if (array == nullptr) return wrong_type(*node_, "an array, such as " + std::string(example));
  if (array->size() > most) {
    return error(std::to_string(array->size()) + " elements are too many; write at most " +
                 std::to_string(most));
  }
  std::vector<TomlValue> elements(array->size(), *this);
  for (size_t i = 0; i < elements.size(); ++i) elements[i].node_ = array->get(i);
  return elements;
}

Result<TomlTable> parse_toml(std::string_view text, const std::string& file, toml::table& document) {
  if (auto shallow = refuse_deep_keys(text, file); !shallow) return shallow.error();
  try {
    document = toml::parse(text, std::string_view(file));
  } catch (const toml::parse_error& error) {
    return syntax_error(file, error);
  } catch (const std::exception& error) {
    return FilePlace{file}.error(std::string("cannot be read as TOML: ") + error.what());
  }
  return TomlTable(FilePlace{file}, "the file", "", document);
}

}  // namespace xdpflowd

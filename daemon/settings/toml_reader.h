// SPDX-License-Identifier: GPL-2.0-or-later
// A parsed TOML file as tables of known keys. Every error names its place in the file.
#pragma once

#include <toml++/toml.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace xdpflowd {

struct FilePlace {
  std::string file;
  unsigned line = 1;
  unsigned column = 1;

  std::string text() const;                       // "file:line:column: "
  Error error(const std::string& problem) const;  // "file:line:column: problem"
};

struct IntegerRange {
  int64_t least;
  int64_t most;
  std::string_view why_least = {};  // said in brackets behind it
};

class TomlValue;

struct TomlKey {
  std::string_view name;
  std::function<Status(const TomlValue&)> read;
};

/// A table of the file. Borrows from the parsed document.
class TomlTable {
 public:
  /// `title` is how messages call it ("[zone.default]"), `prefix` what stands before its keys
  /// ("zone.default.").
  TomlTable(FilePlace place, std::string title, std::string prefix, const toml::table& table);

  /// Calls the keys' functions in the order of the file; a key that is not in the list is an error.
  Status read(const std::vector<TomlKey>& keys) const;

  /// In the order of the file.
  std::vector<TomlValue> values() const;

  const FilePlace& place() const { return place_; }

  /// Of the value of `key`, or of the table if it has no such key.
  FilePlace place_of(std::string_view key) const;
  bool has(std::string_view key) const { return table_->contains(key); }

 private:
  FilePlace place_;
  std::string title_;
  std::string prefix_;
  const toml::table* table_;
};

/// A key and its value. Borrows from the parsed document.
class TomlValue {
 public:
  TomlValue(const std::string& file, const std::string& prefix, const toml::key& key, const toml::node& node);

  const std::string& key() const { return key_; }
  const FilePlace& key_place() const { return key_place_; }

  /// "file:line:column of the value: name of the key: problem".
  Error error(const std::string& problem) const;

  /// A string that `parse` accepts. `example` is shown where the value is no string.
  template <class Out, class Parse>
  Status read(Out& out, const Parse& parse, std::string_view example) const {
    auto written = text(example);
    if (!written) return written.error();
    auto parsed = parse(*written);
    if (!parsed) return error(parsed.error().message);
    out = std::move(*parsed);
    return ok();
  }

  /// An integer within `range`, which must fit into Out.
  template <class Out>
  Status read(Out& out, const IntegerRange& range) const {
    auto number = integer(range);
    if (!number) return number.error();
    out = static_cast<Out>(*number);
    return ok();
  }

  Status read(bool& out) const;

  /// `advice` says how to write it: "[daemon] above its keys".
  Result<TomlTable> table(const std::string& advice) const;

  /// The elements of [[key]].
  Result<std::vector<TomlTable>> tables() const;

  /// The elements of an array of at most `most`, each with the name of the key and a place of its own.
  /// `example` is shown where the value is no array.
  Result<std::vector<TomlValue>> elements(size_t most, std::string_view example) const;

 private:
  Result<std::string> text(std::string_view example) const;
  Result<int64_t> integer(const IntegerRange& range) const;
  Error wrong_type(const toml::node& found, const std::string& advice) const;

  std::string key_;
  std::string name_;
  FilePlace key_place_;
  const toml::node* node_;
};

/// The root of `text`. Syntax errors get a place too; `document` owns what the table borrows.
Result<TomlTable> parse_toml(std::string_view text, const std::string& file, toml::table& document);

}  // namespace xdpflowd

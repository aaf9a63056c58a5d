// SPDX-License-Identifier: GPL-2.0-or-later
// Typed views of pinned maps. A view owns its descriptor and is movable; its sizes were compared with the
// kernel's.
#pragma once

#include <linux/bpf.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"

namespace xdpflowd {

/// 0 if `map` is no map.
uint32_t map_id_of(int map);

/// Why a pin could not be opened (errno `code`), and what to do.
Error pin_error(int code, const std::string& path);

/// What a pin has to hold.
struct MapShape {
  bpf_map_type type;
  uint32_t key_size;
  uint32_t value_size;
};

/// A map of a known shape whose types only the caller knows; use Map or PerCpuMap where there are any.
class RawMap {
 public:
  RawMap() = default;
  /// Opens a pin; a foreign or tampered one is an error that names it.
  static Result<RawMap> open_pin(const std::string& path, const MapShape& shape);
  /// A view of a map that somebody else holds open: the descriptor is duplicated.
  static Result<RawMap> of_fd(int fd, const std::string& name, const MapShape& shape);

  int fd() const { return fd_.get(); }
  const std::string& name() const { return name_; }
  uint32_t max_entries() const { return max_entries_; }

  Status lookup(const void* key, void* value) const;
  Status update(const void* key, const void* value) const;
  Status erase(const void* key) const;
  /// `previous` nullptr: the first key. False after the last one.
  Result<bool> next_key(const void* previous, void* next) const;
  /// All values of an array map, in one system call; `values` has room for max_entries() of them.
  Status read_array(void* values) const;

 private:
  static Result<RawMap> checked(UniqueFd fd, const std::string& name, const MapShape& shape);

  UniqueFd fd_;
  std::string name_;
  uint32_t max_entries_ = 0;
};

template <class Key, class Value>
class Map {
  static_assert(std::is_trivially_copyable_v<Key> && std::is_trivially_copyable_v<Value>);

 public:
  Map() = default;
  static Result<Map> open_pin(const std::string& path, bpf_map_type type) {
    return of(RawMap::open_pin(path, {type, sizeof(Key), sizeof(Value)}));
  }
  static Result<Map> of_fd(int fd, const std::string& name, bpf_map_type type) {
    return of(RawMap::of_fd(fd, name, {type, sizeof(Key), sizeof(Value)}));
  }

  int fd() const { return raw_.fd(); }
  const std::string& name() const { return raw_.name(); }
  uint32_t max_entries() const { return raw_.max_entries(); }
  const RawMap& raw() const { return raw_; }

  /// An absent key is an error with code ENOENT.
  Result<Value> get(const Key& key) const {
    Value value{};
    if (auto read = raw_.lookup(&key, &value); !read) return read.error();
    return value;
  }
  Status set(const Key& key, const Value& value) const { return raw_.update(&key, &value); }
  /// An absent key is an error with code ENOENT.
  Status erase(const Key& key) const { return raw_.erase(&key); }

  /// All keys of a map that nobody changes meanwhile.
  Result<std::vector<Key>> keys() const {
    std::vector<Key> found;
    Key key{};
    for (const Key* previous = nullptr;; previous = &found.back()) {
      auto more = raw_.next_key(previous, &key);
      if (!more) return more.error();
      if (!*more) return found;
      found.push_back(key);
    }
  }

 private:
  explicit Map(RawMap raw) : raw_(std::move(raw)) {}
  static Result<Map> of(Result<RawMap> raw) {
    if (!raw) return raw.error();
    return Map(std::move(*raw));
  }

  RawMap raw_;
};

template <class Value>
using ArrayMap = Map<uint32_t, Value>;

template <class Value>
Result<std::vector<Value>> array_values(const ArrayMap<Value>& map) {
  std::vector<Value> values(map.max_entries());
  if (auto read = map.raw().read_array(values.data()); !read) return read.error();
  return values;
}

/// Adds up, word by word, one value per possible CPU.
Result<std::vector<uint64_t>> sum_over_cpus(const RawMap& map, uint32_t index, size_t words);

/// Zero on every possible CPU. Only while nobody counts there.
Status clear_on_cpus(const RawMap& map, uint32_t index, size_t words);

/// A per-CPU array of structs that hold nothing but __u64 counters.
template <class Value>
class PerCpuMap {
  static_assert(std::is_trivially_copyable_v<Value> && sizeof(Value) % sizeof(uint64_t) == 0);

 public:
  PerCpuMap() = default;
  static Result<PerCpuMap> open_pin(const std::string& path) {
    auto raw = RawMap::open_pin(path, {BPF_MAP_TYPE_PERCPU_ARRAY, sizeof(uint32_t), sizeof(Value)});
    if (!raw) return raw.error();
    return PerCpuMap(std::move(*raw));
  }

  uint32_t max_entries() const { return raw_.max_entries(); }

  Result<Value> sum(uint32_t index) const {
    auto words = sum_over_cpus(raw_, index, sizeof(Value) / sizeof(uint64_t));
    if (!words) return words.error();
    Value value;
    std::memcpy(&value, words->data(), sizeof value);
    return value;
  }
  Status clear(uint32_t index) const { return clear_on_cpus(raw_, index, sizeof(Value) / sizeof(uint64_t)); }

 private:
  explicit PerCpuMap(RawMap raw) : raw_(std::move(raw)) {}

  RawMap raw_;
};

}  // namespace xdpflowd

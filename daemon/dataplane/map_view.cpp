// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/map_view.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace xdpflowd {

namespace {

constexpr const char* kWayOut = "; run `xdpflowctl unload`, then start xdpflowd";

Error not_this_shape(const std::string& name, const MapShape& wanted, const bpf_map_info& found) {
  auto show = [](uint32_t type, uint32_t key, uint32_t value) {
    const char* kind = libbpf_bpf_map_type_str(static_cast<bpf_map_type>(type));
    return std::string(kind ? kind : "unknown") + " with keys of " + std::to_string(key) + " and values of " +
           std::to_string(value) + " bytes";
  };
  return fail(name + " is not xdpflowd's: found " + show(found.type, found.key_size, found.value_size) +
              ", expected " + show(wanted.type, wanted.key_size, wanted.value_size) + kWayOut);
}

}  // namespace

uint32_t map_id_of(int map) {
  bpf_map_info info{};
  uint32_t size = sizeof info;
  return bpf_obj_get_info_by_fd(map, &info, &size) == 0 ? info.id : 0;
}

Error pin_error(int code, const std::string& path) {
  // As root, EACCES is the answer to a file that is no BPF object.
  if (code == EPERM || (code == EACCES && geteuid() != 0))
    return {"must be root to open " + path, code, Error::Kind::failed};
  if (code == ENOENT) return {path + " is missing" + kWayOut, code, Error::Kind::failed};
  Error error = system_error(code, "cannot open the pin " + path);
  if (code != EROFS) error.message += kWayOut;
  return error;
}

Result<RawMap> RawMap::open_pin(const std::string& path, const MapShape& shape) {
  UniqueFd fd(bpf_obj_get(path.c_str()));
  if (!fd) return pin_error(errno, path);
  return checked(std::move(fd), path, shape);
}

Result<RawMap> RawMap::of_fd(int fd, const std::string& name, const MapShape& shape) {
  UniqueFd copy(fcntl(fd, F_DUPFD_CLOEXEC, 0));
  if (!copy) return system_error(errno, "cannot duplicate the descriptor of map " + name);
  return checked(std::move(copy), name, shape);
}

Result<RawMap> RawMap::checked(UniqueFd fd, const std::string& name, const MapShape& shape) {
  bpf_map_info info{};
  uint32_t size = sizeof info;
  if (bpf_obj_get_info_by_fd(fd.get(), &info, &size) != 0)
    return system_error(errno, "cannot ask the kernel about " + name);
  if (info.type != shape.type || info.key_size != shape.key_size || info.value_size != shape.value_size)
    return not_this_shape(name, shape, info);
  RawMap map;
  map.fd_ = std::move(fd);
  map.name_ = name;
  map.max_entries_ = info.max_entries;
  return map;
}

Status RawMap::lookup(const void* key, void* value) const {
  if (bpf_map_lookup_elem(fd(), key, value) != 0) return system_error(errno, "cannot read " + name_);
  return ok();
}

Status RawMap::update(const void* key, const void* value) const {
  if (bpf_map_update_elem(fd(), key, value, BPF_ANY) != 0)
    return system_error(errno, "cannot write " + name_);
  return ok();
}

Status RawMap::erase(const void* key) const {
  if (bpf_map_delete_elem(fd(), key) != 0) return system_error(errno, "cannot erase from " + name_);
  return ok();
}

Result<bool> RawMap::next_key(const void* previous, void* next) const {
  if (bpf_map_get_next_key(fd(), previous, next) == 0) return true;
  if (errno == ENOENT) return false;
  return system_error(errno, "cannot walk " + name_);
}

Status RawMap::read_array(void* values) const {
  std::vector<uint32_t> keys(max_entries_);
  uint32_t position = 0, count = max_entries_;
  // ENOENT: the end of the map was reached.
  if (bpf_map_lookup_batch(fd(), nullptr, &position, keys.data(), values, &count, nullptr) != 0 &&
      errno != ENOENT)
    return system_error(errno, "cannot read " + name_);
  if (count != max_entries_) return fail("cannot read " + name_ + ": the kernel gave only a part of it");
  return ok();
}

Result<std::vector<uint64_t>> sum_over_cpus(const RawMap& map, uint32_t index, size_t words) {
  const int cpus = libbpf_num_possible_cpus();
  if (cpus < 0) return system_error(cpus, "cannot tell the number of CPUs");
  std::vector<uint64_t> values(words * static_cast<size_t>(cpus));
  if (auto read = map.lookup(&index, values.data()); !read) return read.error();
  for (size_t i = words; i < values.size(); ++i) values[i % words] += values[i];
  values.resize(words);
  return values;
}

Status clear_on_cpus(const RawMap& map, uint32_t index, size_t words) {
  const int cpus = libbpf_num_possible_cpus();
  if (cpus < 0) return system_error(cpus, "cannot tell the number of CPUs");
  const std::vector<uint64_t> zeros(words * static_cast<size_t>(cpus));
  return map.update(&index, zeros.data());
}

}  // namespace xdpflowd

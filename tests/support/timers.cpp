// SPDX-License-Identifier: GPL-2.0-or-later
#include "support/timers.h"

#include <fcntl.h>
#include <sys/utsname.h>
#include <sys/xattr.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <sstream>

#include "base/unique_fd.h"

namespace xdpflowd::test {
namespace {

/// The slab cache from which a timer comes.
constexpr const char* cache = "kmalloc-cg-192";

/// Makes an attribute of a tmpfs file, header included, an object of that cache.
constexpr std::array<char, 120> attribute_value{};

/// More than asked for: some free objects belong to other CPUs or are not counted as free.
constexpr size_t reserve = 1024;

/// Objects that can be had without a new slab.
size_t free_objects() {
  std::ifstream slabinfo("/proc/slabinfo");
  for (std::string line; std::getline(slabinfo, line);) {
    std::istringstream words(line);
    std::string name;
    size_t active = 0;
    size_t total = 0;
    if (words >> name >> active >> total && name == cache) return total - active;
  }
  return 0;
}

Result<size_t> read_knob(const std::string& name) {
  std::ifstream file("/sys/kernel/slab/" + std::string(cache) + "/" + name);
  size_t value = 0;
  if (file >> value) return value;
  return fail("cannot read " + name + " of slab cache " + cache);
}

/// Lets the cache keep as many empty slabs as `count` objects fill. Never lowers what is set.
Status keep_empty_slabs(size_t count) {
  const auto per_slab = read_knob("objs_per_slab");
  const auto kept = read_knob("min_partial");
  if (!per_slab) return per_slab.error();
  if (!kept) return kept.error();
  const size_t wanted = count / *per_slab + 64;
  if (*kept >= wanted) return ok();
  std::ofstream file("/sys/kernel/slab/" + std::string(cache) + "/min_partial");
  file << wanted << std::flush;
  if (!file) return fail(std::string("cannot set min_partial of slab cache ") + cache + " (root only)");
  return ok();
}

/// All attributes are alive at once, so that they need new slabs, and are freed with their file, which has no
/// name.
Status fill_and_empty_cache(size_t count) {
  const UniqueFd file(open("/dev/shm", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (!file) return system_error(errno, "cannot make a file in /dev/shm");
  for (size_t i = 0; i < count; ++i) {
    const std::string name = "trusted." + std::to_string(i);
    if (fsetxattr(file.get(), name.c_str(), attribute_value.data(), attribute_value.size(), 0) != 0) {
      return system_error(errno, "cannot set an attribute of a file in /dev/shm");
    }
  }
  return ok();
}

}  // namespace

bool timers_are_scarce() {
  utsname kernel{};
  uname(&kernel);
  std::ifstream file("/proc/cmdline");
  return timers_are_scarce(kernel.release, {std::istreambuf_iterator<char>(file), {}});
}

bool timers_are_scarce(const std::string& release, const std::string& command_line) {
  int major = 0;
  int minor = 0;
  if (std::sscanf(release.c_str(), "%d.%d", &major, &minor) != 2) return false;
  const bool allocates_without_lock = major > 6 || (major == 6 && minor >= 18);
  return allocates_without_lock && command_line.find("deferred_init=lazy") != std::string::npos;
}

Status prime_timers(size_t count) {
  if (!timers_are_scarce() || free_objects() >= count) return ok();
  if (auto kept = keep_empty_slabs(count + reserve); !kept)
    return in_context(kept.error(), "cannot prime BPF timers");
  if (auto filled = fill_and_empty_cache(count + reserve); !filled) {
    return in_context(filled.error(), "cannot prime BPF timers");
  }
  return ok();
}

}  // namespace xdpflowd::test

// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/bpffs.h"

#include <linux/magic.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>

#include <cerrno>
#include <filesystem>

#include "base/log.h"

namespace xdpflowd {
namespace {

namespace fs = std::filesystem;

const fs::path standard_mount = "/sys/fs/bpf";

bool is_bpffs(const fs::path& path) {
  struct statfs info {};
  return statfs(path.c_str(), &info) == 0 && info.f_type == BPF_FS_MAGIC;
}

bool is_read_only(const fs::path& path) {
  struct statfs info {};
  return statfs(path.c_str(), &info) == 0 && (info.f_flags & ST_RDONLY) != 0;
}

fs::path existing_ancestor(fs::path path) {
  std::error_code ignored;
  while (!fs::exists(path, ignored) && path.has_relative_path()) path = path.parent_path();
  return path;
}

bool is_below(const fs::path& path, const fs::path& folder) {
  const auto relative = path.lexically_relative(folder);
  return !relative.empty() && *relative.begin() != ".." && relative != ".";
}

Status mount_standard_bpffs() {
  if (mount("bpf", standard_mount.c_str(), "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700") == 0) {
    log::info("mounted the BPF file system at {}", standard_mount.string());
    return ok();
  }
  const int code = errno;
  std::string hint = "mount it yourself: mount -t bpf bpf " + standard_mount.string();
  if (code == ENODEV) hint = "this kernel is built without BPF (CONFIG_BPF_SYSCALL)";
  return in_context(system_error(code, "the BPF file system is not mounted, and mounting it failed"), hint);
}

Error mkdir_error(int code, const fs::path& path) {
  auto error = system_error(code, "cannot make " + path.string());
  if (code == EROFS)
    error.message +=
        "; a systemd unit needs ProtectKernelTunables=no for a writable " + standard_mount.string();
  if (code == EPERM && path.filename().string().find('.') != std::string::npos)
    error.message += "; the BPF file system allows no '.' in names: choose another [daemon] state_dir";
  return error;
}

Status make_folders(const fs::path& state_dir) {
  fs::path made;
  for (const auto& part : state_dir) {
    made /= part;
    if (mkdir(made.c_str(), 0700) == 0 || errno == EEXIST) continue;
    // A read-only or foreign parent that exists answers EROFS or EACCES before EEXIST on some file systems.
    const int code = errno;
    std::error_code ignored;
    if (!fs::is_directory(made, ignored)) return mkdir_error(code, made);
  }
  return ok();
}

}  // namespace

Status check_own_folder(const std::string& state_dir) {
  const auto path = fs::path(state_dir).lexically_normal();
  struct stat own {
  }, parent{};
  const bool mount_point = stat(path.c_str(), &own) == 0 && stat(path.parent_path().c_str(), &parent) == 0 &&
                           own.st_dev != parent.st_dev;
  if (!path.is_absolute() || mount_point || path == standard_mount)
    return fail("state_dir " + state_dir + " must be an absolute path below a BPF file system, such as " +
                (standard_mount / "xdpflowd").string());
  return ok();
}

Status ensure_bpffs(const std::string& state_dir) {
  if (auto own = check_own_folder(state_dir); !own) return own;
  const auto path = fs::path(state_dir).lexically_normal();
  const auto base = existing_ancestor(path);
  if (!is_bpffs(base)) {
    if (!is_below(path, standard_mount))
      return fail("state_dir " + state_dir + " is not on a BPF file system: choose a path below " +
                  standard_mount.string() + ", or mount one there first (mount -t bpf bpf DIR)");
    if (base != standard_mount)
      return fail(standard_mount.string() +
                  " does not exist: /sys is not mounted, or this kernel has no BPF");
    if (auto mounted = mount_standard_bpffs(); !mounted) return mounted;
  }
  if (is_read_only(existing_ancestor(path))) return mkdir_error(EROFS, path);
  return make_folders(path);
}

}  // namespace xdpflowd

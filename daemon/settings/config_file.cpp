// SPDX-License-Identifier: GPL-2.0-or-later
#include "settings/config_file.h"

#include <fcntl.h>

#include <array>
#include <cerrno>

#include "base/unique_fd.h"
#include "settings/draft.h"
#include "settings/suggestion.h"
#include "settings/toml_reader.h"

namespace xdpflowd {
namespace {

constexpr size_t file_size_max = size_t{64} * 1024 * 1024;  // 100 000 targets with every key take about 50

Error unreadable(const std::string& path, int code) {
  return {"cannot read the configuration " + in_quotes(path) + ": " + std::strerror(code) +
              "; name a readable file with --config FILE",
          code, Error::Kind::usage};
}

Result<std::string> read_file(const std::string& path) {
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (!file) return unreadable(path, errno);
  std::string text;
  std::array<char, 16'384> chunk{};
  while (text.size() <= file_size_max) {
    const ssize_t got = ::read(file.get(), chunk.data(), chunk.size());
    if (got == 0) return text;
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return unreadable(path, errno);
    text.append(chunk.data(), static_cast<size_t>(got));
  }
  return usage_error("the configuration " + in_quotes(path) +
                     " is larger than 64 MiB; name xdpflowd's own file with --config FILE");
}

}  // namespace

Result<Settings> load_settings(const std::string& path, uint64_t ram_bytes, unsigned cpus) {
  auto text = read_file(path);
  if (!text) return text.error();
  return parse_settings(*text, path, ram_bytes, cpus);
}

Result<Settings> parse_settings(std::string_view text, const std::string& file_name, uint64_t ram_bytes,
                                unsigned cpus) {
  toml::table document;
  auto root = parse_toml(text, file_name, document);
  if (!root) return root.error();
  SettingsDraft draft(root->place(), ram_bytes, cpus);
  if (auto status = draft.read(*root); !status) return status.error();
  return draft.finish();
}

}  // namespace xdpflowd

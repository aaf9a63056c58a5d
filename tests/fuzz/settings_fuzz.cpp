// SPDX-License-Identifier: GPL-2.0-or-later
// The configuration: any text is settings, or one line that says where it is wrong.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "settings/config_file.h"

namespace {

constexpr uint64_t ram_bytes = 8ULL << 30;
constexpr unsigned cpus = 4;

void must(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  const auto settings = xdpflowd::parse_settings(text, "file", ram_bytes, cpus);
  if (settings) return 0;
  const std::string& message = settings.error().message;
  must(message.find('\n') == std::string::npos);
  must(message.starts_with("file:"));
  must(message.find("; ") != std::string::npos);  // what would be right
  return 0;
}

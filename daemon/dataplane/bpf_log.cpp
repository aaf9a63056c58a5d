// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/bpf_log.h"

#include <bpf/libbpf.h>
#include <xdp/libxdp.h>

#include <algorithm>
#include <array>
#include <cstdarg>
#include <cstdio>
#include <string_view>

#include "base/log.h"

namespace xdpflowd {
namespace {

constexpr size_t verifier_lines_kept = 20;
constexpr std::string_view extack_prefix = "Kernel error message: ";
constexpr std::string_view verifier_begin = "-- BEGIN PROG LOAD LOG --";
constexpr std::string_view verifier_end = "-- END PROG LOAD LOG --";

// libbpf's callback has no argument of its own: each thread that loads a program has what it was told itself.
thread_local std::string kernel_message;
thread_local std::vector<std::string> verifier_log;

std::string formatted(const char* format, va_list arguments) {
  va_list again;
  va_copy(again, arguments);
  const int length = std::vsnprintf(nullptr, 0, format, again);
  va_end(again);
  if (length <= 0) return {};
  std::string text(static_cast<size_t>(length) + 1, '\0');
  std::vsnprintf(text.data(), text.size(), format, arguments);
  text.pop_back();
  return text;
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    if (end > 0) lines.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

void collect(const std::string& text) {
  if (const auto extack = text.find(extack_prefix); extack != std::string::npos) {
    const auto lines = lines_of(std::string_view(text).substr(extack + extack_prefix.size()));
    if (!lines.empty()) kernel_message = lines.front();
  }
  const auto begin = text.find(verifier_begin);
  if (begin == std::string::npos) return;
  const auto start = begin + verifier_begin.size();
  verifier_log = lines_of(std::string_view(text).substr(start, text.find(verifier_end) - start));
  if (verifier_log.size() > verifier_lines_kept)
    verifier_log.erase(verifier_log.begin(), verifier_log.end() - verifier_lines_kept);
}

void report(const char* library, const char* format, va_list arguments) {
  const auto text = formatted(format, arguments);
  collect(text);
  for (const auto& line : lines_of(text)) log::debug("{}: {}", library, line);
}

int on_libbpf(libbpf_print_level level, const char* format, va_list arguments) {
  if (level <= LIBBPF_INFO) report("libbpf", format, arguments);
  return 0;
}

int on_libxdp(libxdp_print_level, const char* format, va_list arguments) {
  report("libxdp", format, arguments);
  return 0;
}

}  // namespace

void route_bpf_messages() {
  libbpf_set_print(on_libbpf);
  libxdp_set_print(on_libxdp);
}

void clear_bpf_messages() {
  kernel_message.clear();
  verifier_log.clear();
}

std::string last_kernel_message() {
  return kernel_message;
}

std::vector<std::string> last_verifier_lines() {
  return verifier_log;
}

}  // namespace xdpflowd

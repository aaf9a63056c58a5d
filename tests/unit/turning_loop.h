// SPDX-License-Identifier: GPL-2.0-or-later
// For tests of what lives on the daemon's event loop: the loop turns while the test waits, and the log is
// kept.
#pragma once

#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>
#include <stdlib.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "service/event_loop.h"

namespace xdpflowd::test {

class TurningLoop {
 public:
  EventLoop& operator*() { return loop_; }

  /// Until `predicate` is true; false if it is not within a time that is plenty.
  bool turns_until(const std::function<bool()>& predicate,
                   std::chrono::milliseconds timeout = std::chrono::seconds(60)) {
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    while (!predicate()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      turn();
    }
    return true;
  }

  /// Waits a few milliseconds at most for something to do.
  void turn() { sd_event_run(loop_.handle(), 5000); }

 private:
  static EventLoop made() {
    auto loop = EventLoop::create();
    if (!loop) throw std::runtime_error(loop.error().message);
    return std::move(*loop);
  }

  EventLoop loop_ = made();
};

/// What is logged while it lives, as "level message".
class KeptLog {
 public:
  KeptLog() {
    auto logger =
        std::make_shared<spdlog::logger>("test", std::make_shared<spdlog::sinks::ostream_sink_st>(text_));
    logger->set_pattern("%l %v");
    spdlog::set_default_logger(std::move(logger));
  }
  KeptLog(const KeptLog&) = delete;
  KeptLog& operator=(const KeptLog&) = delete;
  ~KeptLog() { spdlog::set_default_logger(former_); }

  std::string text() const { return text_.str(); }
  /// Those that begin so, without that.
  std::vector<std::string> lines(const std::string& beginning = "") const {
    std::vector<std::string> found;
    std::istringstream all(text_.str());
    for (std::string line; std::getline(all, line);)
      if (line.starts_with(beginning)) found.push_back(line.substr(beginning.size()));
    return found;
  }

 private:
  std::ostringstream text_;
  std::shared_ptr<spdlog::logger> former_ = spdlog::default_logger();
};

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = std::filesystem::temp_directory_path() / "xdpflowd_test.XXXXXX";
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
    path_ = name;
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }

  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

}  // namespace xdpflowd::test

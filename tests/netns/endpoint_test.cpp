// SPDX-License-Identifier: GPL-2.0-or-later
// The metrics endpoint among stalled, slow and hostile clients.
#include <gmock/gmock.h>

#include <filesystem>
#include <iterator>
#include <random>

#include "daemon_lab.h"
#include "sockets.h"

namespace xdpflowd::test {
namespace {

using ::testing::HasSubstr;

constexpr uint16_t port = 9742;
constexpr auto prompt = std::chrono::seconds(2);

class Endpoint : public DaemonLab {
 protected:
  UniqueFd connect() const { return connect_tcp(lab.router, "127.0.0.1", port); }

  /// Time that one good scrape takes.
  Milliseconds scrape_time() const {
    const auto start = std::chrono::steady_clock::now();
    EXPECT_EQ(http_get(lab.router, "127.0.0.1", port, "/metrics").status, 200);
    return std::chrono::duration_cast<Milliseconds>(std::chrono::steady_clock::now() - start);
  }

  Background daemon_ = start_daemon();
};

TEST_F(Endpoint, HasALandingPageMetricsAndNothingElse) {
  const HttpAnswer landing = http_get(lab.router, "127.0.0.1", port, "/");
  EXPECT_EQ(landing.status, 200);
  EXPECT_THAT(landing.body, HasSubstr("/metrics"));
  EXPECT_EQ(http_get(lab.router, "127.0.0.1", port, "/nothing").status, 404);
  EXPECT_THAT(http_get(lab.router, "127.0.0.1", port, "/metrics").headers,
              HasSubstr("text/plain; version=0.0.4"));
}

TEST_F(Endpoint, StalledClientsDoNotKeepPrometheusWaiting) {
  std::vector<UniqueFd> stalled;
  for (int i = 0; i < 200; ++i) {
    stalled.push_back(connect());
    send_all(stalled.back(), "GET /metrics HTTP/1.1\r\nHost:");
  }
  EXPECT_LT(scrape_time(), prompt);
}

TEST_F(Endpoint, ClientsThatNeverReadTheirAnswerDoNotEither) {
  std::vector<UniqueFd> deaf;
  for (int i = 0; i < 50; ++i) {
    deaf.push_back(connect());
    for (int request = 0; request < 20; ++request)
      send_all(deaf.back(), "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
  }
  EXPECT_LT(scrape_time(), prompt);
}

/// Why no test looks for races of user space: the loop is all there is.
TEST_F(Endpoint, TheDaemonIsOneThreadWhoeverAsks) {
  const UniqueFd stalled = connect();
  EXPECT_LT(scrape_time(), prompt);
  const std::filesystem::directory_iterator threads("/proc/" + std::to_string(daemon_.pid()) + "/task");
  EXPECT_EQ(std::distance(begin(threads), end(threads)), 1);
}

TEST_F(Endpoint, GarbageIsRefusedAndAScrapeWorks) {
  std::mt19937 random(1);
  for (int i = 0; i < 50; ++i) {
    std::string garbage(1 + random() % 5000, '\0');
    for (char& byte : garbage) byte = static_cast<char>(random());
    const UniqueFd client = connect();
    try {
      send_all(client, garbage);
    } catch (const std::runtime_error&) {  // closed in the middle: as good an answer as any
    }
  }
  EXPECT_LT(scrape_time(), prompt);
  EXPECT_TRUE(daemon_.is_running());
}

}  // namespace
}  // namespace xdpflowd::test

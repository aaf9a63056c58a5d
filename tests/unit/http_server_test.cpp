// SPDX-License-Identifier: GPL-2.0-or-later
// The endpoint on real sockets. One thread: the clients let the server's event loop turn while they wait.
#include "metrics/http_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "unit/http_client.h"

namespace xdpflowd {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;
using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class HttpServerTest : public testing::Test {
 protected:
  void serve(const HttpLimits& limits = {}, const std::string& address = "127.0.0.1:0") {
    HttpPages pages{.landing = landing_page("1.2.3"), .metrics = [this] { return ++collections_, metrics_; }};
    auto server = HttpServer::listen(loop_.get(), address, std::move(pages), limits);
    ASSERT_TRUE(server) << server.error().message;
    server_.emplace(std::move(*server));
  }

  HttpClient client(int family = AF_INET) { return HttpClient(loop_, server_->port(), family); }

  /// The whole answer to one request on a connection of its own.
  std::string ask(std::string_view request, int family = AF_INET) {
    HttpClient asking = client(family);
    asking.send(request);
    asking.closes();
    return asking.receive("");
  }

  std::string scrape() { return ask("GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"); }

  TestLoop loop_;  // outlives the server
  Result<std::string> metrics_ = std::string("xdpflowd_generation 7\n");
  int collections_ = 0;
  std::optional<HttpServer> server_;
};

/// Room for both ends of all connections.
void allow_many_files() {
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
}

TEST_F(HttpServerTest, MetricsAreTextForPrometheus) {
  serve();
  EXPECT_THAT(scrape(),
              AllOf(StartsWith("HTTP/1.1 200 OK\r\n"),
                    HasSubstr("\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"),
                    HasSubstr("\r\nContent-Length: 22\r\n"), EndsWith("\r\n\r\nxdpflowd_generation 7\n")));
}

TEST_F(HttpServerTest, ParametersOfTheScrapeAreIgnored) {
  serve();
  EXPECT_THAT(ask("GET /metrics?collect[]=x HTTP/1.0\r\n\r\n"), EndsWith("\r\n\r\nxdpflowd_generation 7\n"));
}

TEST_F(HttpServerTest, EachScrapeIsCollectedAnew) {
  serve();
  scrape();
  metrics_ = std::string("xdpflowd_generation 8\n");
  EXPECT_THAT(scrape(), EndsWith("xdpflowd_generation 8\n"));
}

TEST_F(HttpServerTest, TheLandingPageNamesTheVersionAndLinksToTheMetrics) {
  serve();
  EXPECT_THAT(
      ask("GET / HTTP/1.0\r\n\r\n"),
      AllOf(StartsWith("HTTP/1.1 200 OK\r\n"), HasSubstr("\r\nContent-Type: text/html; charset=utf-8\r\n"),
            HasSubstr("1.2.3"), HasSubstr("<a href=\"/metrics\">"), EndsWith("</html>\n")));
}

TEST_F(HttpServerTest, HeadHasTheHeadersOfGetAndNoBody) {
  serve();
  EXPECT_THAT(ask("HEAD /metrics HTTP/1.0\r\n\r\n"),
              AllOf(StartsWith("HTTP/1.1 200 OK\r\n"), HasSubstr("\r\nContent-Length: 22\r\n"),
                    EndsWith("\r\n\r\n")));
}

TEST_F(HttpServerTest, OtherPathsAreNotFound) {
  serve();
  for (const char* path : {"/nothing", "/metrics/", "/metricsx", "//", "/../etc/passwd", "*"})
    EXPECT_THAT(ask("GET " + std::string(path) + " HTTP/1.0\r\n\r\n"),
                StartsWith("HTTP/1.1 404 Not Found\r\n"))
        << path;
}

TEST_F(HttpServerTest, OtherMethodsAreRefusedWithTheAllowedOnes) {
  serve();
  for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS", "TRACE", "BREW"})
    EXPECT_THAT(
        ask(std::string(method) + " /metrics HTTP/1.0\r\n\r\n"),
        AllOf(StartsWith("HTTP/1.1 405 Method Not Allowed\r\n"), HasSubstr("\r\nAllow: GET, HEAD\r\n")))
        << method;
}

TEST_F(HttpServerTest, AnUploadIsRefusedWithoutWaitingForIt) {
  serve();
  EXPECT_THAT(ask("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999999\r\n\r\nabc"),
              StartsWith("HTTP/1.1 405 Method Not Allowed\r\n"));
}

TEST_F(HttpServerTest, MetricsThatCannotBeCollectedAreAServerErrorWithItsReason) {
  serve();
  metrics_ = fail("reading map zone_stats: No such file or directory");
  EXPECT_THAT(scrape(), AllOf(StartsWith("HTTP/1.1 500 Internal Server Error\r\n"),
                              EndsWith("\r\n\r\n500 reading map zone_stats: No such file or directory\n")));
}

TEST_F(HttpServerTest, OneConnectionTakesManyScrapes) {
  serve();
  HttpClient prometheus = client();
  for (size_t i = 1; i <= 3; ++i) {
    prometheus.send("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
    prometheus.receive("xdpflowd_generation 7\n", i);
    ASSERT_EQ(prometheus.occurrences("xdpflowd_generation 7\n"), i);
  }
}

TEST_F(HttpServerTest, PipelinedRequestsAreAnsweredInTheirOrder) {
  serve();
  const auto answers =
      ask("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\nGET /nothing HTTP/1.1\r\nHost: x\r\n\r\n"
          "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_LT(answers.find("200 OK"), answers.find("404 Not Found"));
  EXPECT_LT(answers.find("404 Not Found"), answers.rfind("200 OK"));
}

TEST_F(HttpServerTest, ARequestThatArrivesByteByByteIsAnswered) {
  serve();
  HttpClient slow = client();
  for (const char byte : std::string_view("GET /metrics HTTP/1.0\r\n\r\n")) {
    slow.send({&byte, 1});
    loop_.turn();
  }
  EXPECT_THAT(slow.receive("generation 7\n"), StartsWith("HTTP/1.1 200 OK\r\n"));
}

TEST_F(HttpServerTest, AMalformedRequestIsABadRequestAndTheConnectionIsClosed) {
  serve();
  for (const std::string_view request :
       {"GET /metrics\r\n\r\n", "GET /metrics XTTP/1.1\r\n\r\n", "GET /metrics HTTP/1.1\r\n\r\n",
        "GET /metrics HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n",
        "GET /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n"}) {
    HttpClient hostile = client();
    hostile.send(request);
    EXPECT_TRUE(hostile.closes()) << request;
    EXPECT_THAT(hostile.receive(""), StartsWith("HTTP/1.1 400 Bad Request\r\n")) << request;
  }
}

TEST_F(HttpServerTest, BytesThatAreNotHttpGetNoMetricsAndTheServerGoesOn) {
  serve({.connections = 10, .idle_seconds = 1});
  for (const std::string_view bytes :
       {std::string_view("garbage\r\n\r\n"), std::string_view("\x16\x03\x01\x02\n\x01\xfc\x03\x03\r\n\r\n"),
        std::string_view("\0\xff\0 \x01\r\n\r\n", 10), std::string_view("\r\n\r\n\r\n\r\n")}) {
    HttpClient hostile = client();
    hostile.send(bytes);
    EXPECT_TRUE(hostile.closes(4s));
    EXPECT_THAT(hostile.receive(""), Not(HasSubstr("200 OK")));
  }
  EXPECT_EQ(collections_, 0);
  EXPECT_THAT(scrape(), StartsWith("HTTP/1.1 200 OK\r\n"));
}

TEST_F(HttpServerTest, AHugeHeaderIsRefusedAndTheConnectionIsClosed) {
  serve();
  HttpClient hostile = client();
  hostile.send("GET /metrics HTTP/1.1\r\nHost: x\r\nX: " + std::string(100'000, 'x') + "\r\n\r\n");
  EXPECT_TRUE(hostile.closes());
  EXPECT_EQ(collections_, 0);
}

TEST_F(HttpServerTest, HalfARequestIsClosedWhenTheClientStalls) {
  serve({.connections = 10, .idle_seconds = 1});
  HttpClient stalled = client();
  stalled.send("GET /metrics HT");
  EXPECT_TRUE(stalled.closes(4s));
}

TEST_F(HttpServerTest, AClientThatDoesNotReadItsAnswerDelaysNobody) {
  serve({.connections = 10, .idle_seconds = 1});
  metrics_ = std::string(32 << 20, '#');
  HttpClient deaf = client();
  deaf.send("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
  while (collections_ == 0) loop_.turn();
  metrics_ = std::string("xdpflowd_generation 8\n");
  EXPECT_THAT(scrape(), EndsWith("xdpflowd_generation 8\n"));
}

TEST_F(HttpServerTest, LittleWaitsInTheKernelForAClientThatDoesNotRead) {
  serve();
  metrics_ = std::string(32 << 20, '#');
  HttpClient deaf = client();
  deaf.send("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
  for (int i = 0; i < 100; ++i) loop_.turn();
  EXPECT_LT(deaf.read_without_server(), size_t{1} << 20);
}

TEST_F(HttpServerTest, FifteenHundredStalledClientsDoNotKeepAScrapeWaiting) {
  allow_many_files();
  serve();
  std::vector<HttpClient> stalled;
  for (int i = 0; i < 1500; ++i) {
    stalled.push_back(client());
    ASSERT_TRUE(stalled.back().connected()) << "connection " << i;
    stalled.back().send("GET /metrics HT");
    if (i % 50 == 0) loop_.turn();
  }
  const auto start = steady_clock::now();
  EXPECT_THAT(scrape(), EndsWith("xdpflowd_generation 7\n"));
  EXPECT_LT(steady_clock::now() - start, 1s);
}

TEST_F(HttpServerTest, TheQuietestConnectionMakesRoomForANewOne) {
  serve({.connections = 3, .idle_seconds = 60});
  HttpClient prometheus = client();
  std::vector<HttpClient> stalled;
  for (size_t i = 1; i <= 5; ++i) {
    prometheus.send("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
    prometheus.receive("generation 7\n", i);
    stalled.push_back(client());
    for (int turn = 0; turn < 5; ++turn) loop_.turn();
  }
  EXPECT_EQ(prometheus.occurrences("generation 7\n"), 5u);
  EXPECT_TRUE(stalled[0].closes());
  EXPECT_FALSE(stalled[4].closes(20ms));
}

TEST_F(HttpServerTest, ACrowdThatAsksAtOnceCostsFewCollections) {
  serve();
  std::vector<HttpClient> crowd;
  for (int i = 0; i < 50; ++i) crowd.push_back(client());
  for (int i = 0; i < 20; ++i) loop_.turn();  // all are accepted
  for (auto& one : crowd) one.send("GET /metrics HTTP/1.0\r\n\r\n");
  for (auto& one : crowd) EXPECT_THAT(one.receive("generation 7\n"), EndsWith("generation 7\n"));
  EXPECT_LT(collections_, 10);
}

TEST_F(HttpServerTest, ListensOnIpv6) {
  serve({}, "[::1]:0");
  EXPECT_THAT(ask("GET /metrics HTTP/1.0\r\n\r\n", AF_INET6), StartsWith("HTTP/1.1 200 OK\r\n"));
}

TEST_F(HttpServerTest, APortInUseIsAnErrorThatNamesTheAddressAndTheKey) {
  serve();
  const std::string address = "127.0.0.1:" + std::to_string(server_->port());
  auto second = HttpServer::listen(loop_.get(), address, {});
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().message,
              AllOf(HasSubstr("[metrics] listen"), HasSubstr(address), HasSubstr("in use")));
  EXPECT_EQ(second.error().code, EADDRINUSE);
}

TEST_F(HttpServerTest, ThePortIsFreeAgainAsSoonAsTheServerIsGone) {
  serve();
  const uint16_t port = server_->port();
  HttpClient connected = client();
  connected.send("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
  connected.receive("generation 7\n");
  server_.reset();  // closes first: its end of the connection goes to TIME_WAIT
  serve({}, "127.0.0.1:" + std::to_string(port));
  EXPECT_THAT(scrape(), StartsWith("HTTP/1.1 200 OK\r\n"));
}

TEST_F(HttpServerTest, AnAddressThatIsNotOneIsAUsageErrorThatSaysWhatWouldBeRight) {
  for (const char* address :
       {"", "9742", ":9742", "127.0.0.1", "127.0.0.1:", "127.0.0.1:70000", "127.0.0.1:http", "::1:9742",
        "[::1]", "[127.0.0.1]:9742", "localhost:9742", "127.0.0.1:97 42"}) {
    auto server = HttpServer::listen(loop_.get(), address, {});
    ASSERT_FALSE(server) << address;
    EXPECT_EQ(server.error().kind, Error::Kind::usage) << address;
    EXPECT_THAT(server.error().message, HasSubstr("127.0.0.1:9742")) << address;
  }
}

}  // namespace
}  // namespace xdpflowd

// SPDX-License-Identifier: GPL-2.0-or-later
#include "flow/record_sink.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace xdpflowd {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

/// A folder of its own, and what was logged.
struct Sink : testing::Test {
  Sink() {
    std::string folder_template = fs::temp_directory_path() / "record_sink.XXXXXX";
    folder = mkdtemp(folder_template.data());
    path = folder / "records.json";
    spdlog::set_default_logger(
        std::make_shared<spdlog::logger>("test", std::make_shared<spdlog::sinks::ostream_sink_st>(log)));
  }
  ~Sink() override {
    spdlog::set_default_logger(former_logger);
    fs::remove_all(folder);
  }

  std::string content() const { return content_of(path); }
  static std::string content_of(const fs::path& file) {
    std::ostringstream text;
    text << std::ifstream(file).rdbuf();
    return text.str();
  }
  long lines_logged() const { return std::ranges::count(log.str(), '\n'); }

  std::shared_ptr<spdlog::logger> former_logger = spdlog::default_logger();
  std::ostringstream log;
  fs::path folder, path;
};

/// While it lives, no file of this process grows beyond `bytes`: a disk that is full for ordinary users and
/// root alike.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : former_handler_(signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &former_);
    const rlimit limit{bytes, former_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    setrlimit(RLIMIT_FSIZE, &former_);
    signal(SIGXFSZ, former_handler_);
  }

 private:
  sighandler_t former_handler_;
  rlimit former_{};
};

TEST_F(Sink, MovesToAnotherFile) {
  RecordSink sink(path);
  sink.write("{\"a\":1}\n");
  ASSERT_TRUE(sink.move_to(folder / "other"));
  sink.write("{\"a\":2}\n");
  ASSERT_TRUE(sink.reopen());
  sink.write("{\"a\":3}\n");
  EXPECT_EQ(content(), "{\"a\":1}\n");
  EXPECT_EQ(content_of(folder / "other"), "{\"a\":2}\n{\"a\":3}\n");
}

TEST_F(Sink, StaysWhereItIsIfTheOtherFileCannotBeOpened) {
  RecordSink sink(path);
  sink.write("{\"a\":1}\n");
  const auto moved = sink.move_to(folder / "gone" / "other");
  ASSERT_FALSE(moved);
  EXPECT_THAT(moved.error().message, HasSubstr("gone/other"));
  sink.write("{\"a\":2}\n");
  EXPECT_EQ(content(), "{\"a\":1}\n{\"a\":2}\n");
  EXPECT_EQ(sink.lost(), 0u);
}

TEST_F(Sink, AppendsToWhatIsThere) {
  std::ofstream(path) << "{\"a\":1}\n";
  RecordSink sink(path);
  sink.write("{\"a\":2}\n{\"a\":3}\n");
  EXPECT_EQ(content(), "{\"a\":1}\n{\"a\":2}\n{\"a\":3}\n");
  EXPECT_EQ(sink.lost(), 0u);
}

TEST_F(Sink, OthersCannotReadTheFile) {
  const mode_t former = umask(0);
  ASSERT_TRUE(RecordSink(path).reopen());
  umask(former);
  EXPECT_EQ(fs::status(path).permissions(), fs::perms{0640});
}

TEST_F(Sink, SaysAtTheStartThatItCannotOpen) {
  const Status status = RecordSink(folder / "missing" / "records.json").reopen();
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().message, HasSubstr("missing/records.json: No such file or directory"));
}

TEST_F(Sink, WritesToTheNewFileAfterLogrotate) {
  RecordSink sink(path);
  sink.write("1\n");
  fs::rename(path, folder / "records.json.1");
  sink.write("2\n");
  ASSERT_TRUE(sink.reopen());
  sink.write("3\n");
  EXPECT_EQ(content_of(folder / "records.json.1"), "1\n2\n");
  EXPECT_EQ(content(), "3\n");
}

TEST_F(Sink, KeepsTheOpenFileIfItCannotOpenItAnew) {
  RecordSink sink(path);
  sink.write("1\n");
  fs::rename(folder, folder.string() + ".moved");
  EXPECT_FALSE(sink.reopen());
  sink.write("2\n");
  fs::rename(folder.string() + ".moved", folder);
  EXPECT_EQ(content(), "1\n2\n");
  EXPECT_EQ(sink.lost(), 0u);
}

TEST_F(Sink, MakesADeletedFileAnew) {
  RecordSink sink(path);
  sink.write("1\n");
  fs::remove(path);
  sink.write("2\n");
  EXPECT_EQ(content(), "2\n");
}

TEST_F(Sink, AFullDiskCostsTheRecordsAndOneLineInTheLog) {
  RecordSink sink("/dev/full");
  sink.write("1\n2\n");
  sink.write("3\n");
  EXPECT_EQ(sink.lost(), 3u);
  EXPECT_EQ(lines_logged(), 1);
  EXPECT_THAT(log.str(), HasSubstr("/dev/full: No space left on device; records are lost"));
}

TEST_F(Sink, SaysWhenItWorksAgainAndWhatThatOutageCost) {
  RecordSink sink(folder / "later" / "records.json");
  sink.write("1\n2\n");
  fs::create_directory(folder / "later");
  sink.write("3\n");
  EXPECT_EQ(content_of(folder / "later" / "records.json"), "3\n");
  EXPECT_THAT(log.str(), HasSubstr("can be written again; records lost meanwhile: 2"));

  fs::remove_all(folder / "later");
  sink.write("4\n");
  EXPECT_EQ(sink.lost(), 3u);
  fs::create_directory(folder / "later");
  sink.write("5\n");
  EXPECT_THAT(log.str(), HasSubstr("can be written again; records lost meanwhile: 1"));
  EXPECT_EQ(lines_logged(), 4);
}

TEST_F(Sink, ALineThatFindsNoRoomIsTakenBackWhole) {
  RecordSink sink(path);
  {
    const FileSizeLimit limit(10);
    sink.write("{\"a\":1}\n{\"a\":2}\n{\"a\":3}\n");
  }
  EXPECT_EQ(content(), "{\"a\":1}\n");
  EXPECT_EQ(sink.lost(), 2u);
  sink.write("{\"a\":4}\n");
  EXPECT_EQ(content(), "{\"a\":1}\n{\"a\":4}\n");
}

/// A pipe cannot be cut, so the half line in it is ended instead.
TEST_F(Sink, ALineThatCannotBeTakenBackIsEnded) {
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  const UniqueFd reader(open(path.c_str(), O_RDONLY | O_NONBLOCK));
  ASSERT_EQ(fcntl(reader.get(), F_SETPIPE_SZ, 4096), 4096);
  RecordSink sink(path);
  sink.write(std::string(5000, 'x') + "\n");
  EXPECT_EQ(sink.lost(), 1u);

  std::string piped(8192, '\0');
  ASSERT_EQ(read(reader.get(), piped.data(), piped.size()), 4096);
  sink.write("1\n");
  ASSERT_EQ(read(reader.get(), piped.data(), piped.size()), 3);
  EXPECT_EQ(piped.substr(0, 3), "\n1\n");
}

TEST_F(Sink, APipeWithoutReaderDoesNotStopTheDaemon) {
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  RecordSink sink(path);
  sink.write("1\n");
  EXPECT_EQ(sink.lost(), 1u);
}

}  // namespace
}  // namespace xdpflowd

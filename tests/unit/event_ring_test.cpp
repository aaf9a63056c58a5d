// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/event_ring.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/bpf.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <string>
#include <vector>

namespace xdpflowd {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// The kernel's side of a ring, played on a memory file of the same layout.
class FakeKernel {
 public:
  static constexpr size_t kSize = 4096;

  FakeKernel() : page_(static_cast<size_t>(sysconf(_SC_PAGESIZE))), fd_(memfd_create("ring", MFD_CLOEXEC)) {
    if (ftruncate(fd_.get(), static_cast<off_t>(2 * page_ + 2 * kSize)) != 0) abort();
    memory_ = static_cast<char*>(
        mmap(nullptr, 2 * page_ + 2 * kSize, PROT_READ | PROT_WRITE, MAP_SHARED, fd_.get(), 0));
  }
  FakeKernel(const FakeKernel&) = delete;
  FakeKernel& operator=(const FakeKernel&) = delete;
  ~FakeKernel() { munmap(memory_, 2 * page_ + 2 * kSize); }

  EventRing consumer() const { return std::move(*EventRing::open(fd_.get(), kSize, "ring")); }

  /// Returns the position of the record. The space of a record is a multiple of 8 bytes.
  unsigned long produce(const std::string& text, uint32_t flags = 0) {
    const unsigned long at = *produced();
    const auto length = static_cast<uint32_t>(text.size());
    set_header(at, length | flags);
    for (size_t i = 0; i < text.size(); ++i) set_byte(at + BPF_RINGBUF_HDR_SZ + i, text[i]);
    *produced() = at + (BPF_RINGBUF_HDR_SZ + length + 7) / 8 * 8;
    return at;
  }
  void set_header(unsigned long at, uint32_t header) {
    char bytes[sizeof header];
    std::memcpy(bytes, &header, sizeof header);
    for (size_t i = 0; i < sizeof header; ++i) set_byte(at + i, bytes[i]);
  }
  unsigned long consumed() const { return *reinterpret_cast<unsigned long*>(memory_); }

 private:
  unsigned long* produced() { return reinterpret_cast<unsigned long*>(memory_ + page_); }
  /// The kernel maps the same pages twice; here both copies are written.
  void set_byte(unsigned long at, char byte) {
    memory_[2 * page_ + at % kSize] = byte;
    memory_[2 * page_ + kSize + at % kSize] = byte;
  }

  size_t page_;
  UniqueFd fd_;
  char* memory_ = nullptr;
};

std::vector<std::string> drain(EventRing& ring, size_t max = 100) {
  std::vector<std::string> shown;
  const size_t count = ring.drain(max, [&](std::span<const std::byte> record) {
    shown.emplace_back(reinterpret_cast<const char*>(record.data()), record.size());
  });
  EXPECT_EQ(count, shown.size());
  return shown;
}

TEST(EventRing, ShowsRecordsInOrderWhateverTheirSize) {
  FakeKernel kernel;
  EventRing ring = kernel.consumer();
  for (const char* text : {"a", "12345678", "123456789"}) kernel.produce(text);
  EXPECT_THAT(drain(ring), ElementsAre("a", "12345678", "123456789"));
}

TEST(EventRing, KeepsRecordsUntilTheyAreCommitted) {
  FakeKernel kernel;
  EventRing ring = kernel.consumer();
  kernel.produce("first");
  drain(ring);
  EXPECT_EQ(kernel.consumed(), 0u);
  EXPECT_EQ(ring.available(), 16u);
  ring.commit();
  EXPECT_EQ(kernel.consumed(), 16u);
  EXPECT_EQ(ring.available(), 0u);
}

TEST(EventRing, ShowsWhatADeadConsumerDidNotCommitToTheNextOne) {
  FakeKernel kernel;
  EventRing first = kernel.consumer();
  kernel.produce("written");
  drain(first);
  first.commit();
  kernel.produce("seen only");
  drain(first);
  EventRing second = kernel.consumer();
  EXPECT_THAT(drain(second), ElementsAre("seen only"));
}

TEST(EventRing, CommitsOnlyWhatWasDrained) {
  FakeKernel kernel;
  EventRing ring = kernel.consumer();
  for (const char* text : {"one", "two", "three"}) kernel.produce(text);
  EXPECT_THAT(drain(ring, 2), ElementsAre("one", "two"));
  ring.commit();
  EXPECT_EQ(ring.available(), 16u);
  EXPECT_THAT(drain(ring), ElementsAre("three"));
}

TEST(EventRing, ShowsARecordAgainAfterRewind) {
  FakeKernel kernel;
  EventRing ring = kernel.consumer();
  kernel.produce("one");
  drain(ring);
  EXPECT_THAT(drain(ring), IsEmpty());
  ring.rewind();
  EXPECT_THAT(drain(ring), ElementsAre("one"));
}

TEST(EventRing, StopsAtARecordThatIsBeingWritten) {
  FakeKernel kernel;
  EventRing ring = kernel.consumer();
  kernel.produce("done");
  const unsigned long busy = kernel.produce("busy", BPF_RINGBUF_BUSY_BIT);
  kernel.produce("after");
  EXPECT_THAT(drain(ring), ElementsAre("done"));
  kernel.set_header(busy, 4);
  EXPECT_THAT(drain(ring), ElementsAre("busy", "after"));
}

TEST(EventRing, SkipsDiscardedRecordsAndFreesThem) {
  FakeKernel kernel;
  EventRing ring = kernel.consumer();
  kernel.produce("discarded", BPF_RINGBUF_DISCARD_BIT);
  kernel.produce("kept");
  EXPECT_THAT(drain(ring), ElementsAre("kept"));
  ring.commit();
  EXPECT_EQ(ring.available(), 0u);
}

TEST(EventRing, ReadsRecordsAcrossItsEnd) {
  FakeKernel kernel;
  EventRing ring = kernel.consumer();
  const std::string text(1000, 'x');
  for (int i = 0; i < 50; ++i) {
    kernel.produce(text + std::to_string(i));
    ASSERT_THAT(drain(ring), ElementsAre(text + std::to_string(i)));
    ring.commit();
  }
}

}  // namespace
}  // namespace xdpflowd

// SPDX-License-Identifier: GPL-2.0-or-later
// What replies, deadlines and errors make of a target, in the kernel.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/bpf.h>

#include <thread>

#include "base/clock.h"
#include "probe_replies.h"
#include "stay_on_cpu.h"
#include "support/probe_bench.h"

namespace xdpflowd::test {
namespace {

constexpr uint8_t syn_ack = 0x12, rst_ack = 0x14;

class Probe : public ::testing::Test {
 protected:
  /// Until the target's next probe is due.
  bool settles(uint32_t index, uint32_t sequence) const {
    return bench.becomes(index, [&](const xf_target& target) {
      return target.sequence == sequence &&
             (target.phase == XF_PROBE_PHASE_WAITING || target.phase == XF_PROBE_PHASE_DUE);
    });
  }

  void answer(uint32_t index) { bench.receive(echo_reply(ProbeBench::bytes(bench.send(index)))); }
  void miss(uint32_t index) {
    const auto frame = bench.send(index);
    ASSERT_TRUE(settles(index, frame.sequence));
  }

  ProbeBench bench;
};

struct AProbe {
  const char* name;
  xf_probe probe;
  const char* address;
  Bytes (*reply)(const Bytes&);
};

Bytes syn_ack_to(const Bytes& probe) {
  return tcp_reply(probe, syn_ack);
}
Bytes datagram_to(const Bytes& probe) {
  return udp_reply(probe, "pong");
}
Bytes arp_reply_to(const Bytes& probe) {
  Bytes reply = probe;
  reply.at(21) = 2;
  std::swap_ranges(reply.begin() + 22, reply.begin() + 32, reply.begin() + 32);
  return reply;
}
Bytes advertisement_to(const Bytes& probe) {
  Bytes reply = turned(probe);
  reply.at(l4_of(reply)) = 136;
  return reply;
}

/// Loading the programs takes longer than any of these: each test goes through all kinds.
class EachProbe : public Probe {
 protected:
  void for_each(const std::function<void(const AProbe&)>& check) {
    for (const auto& kind : kinds) {
      SCOPED_TRACE(kind.name);
      check(kind);
    }
  }

  const std::vector<AProbe> kinds = {
      {"icmp", XF_PROBE_ICMP, ProbeBench::peer4, echo_reply},
      {"icmp over IPv6", XF_PROBE_ICMP, ProbeBench::peer6, echo_reply},
      {"tcp", XF_PROBE_TCP, ProbeBench::peer4, syn_ack_to},
      {"tcp over IPv6", XF_PROBE_TCP, ProbeBench::peer6, syn_ack_to},
      {"udp", XF_PROBE_UDP, ProbeBench::peer4, datagram_to},
      {"udp over IPv6", XF_PROBE_UDP, ProbeBench::peer6, datagram_to},
      {"ARP", XF_PROBE_ARP, ProbeBench::mute4, arp_reply_to},
      {"neighbour discovery", XF_PROBE_ARP, ProbeBench::peer6, advertisement_to}};
};

TEST_F(EachProbe, RisesByRepliesAndFallsWithoutThem) {
  for_each([this](const AProbe& kind) {
    const auto index = bench.add(kind.probe, kind.address);
    EXPECT_EQ(bench.health(index), XF_HEALTH_UNKNOWN);
    for (int i = 0; i < 2; ++i) {
      EXPECT_NE(bench.health(index), XF_HEALTH_UP);
      bench.receive(kind.reply(ProbeBench::bytes(bench.send(index))));
    }
    EXPECT_EQ(bench.health(index), XF_HEALTH_UP);
    EXPECT_EQ(bench.target(index).results[XF_RESULT_OK], 2U);
    EXPECT_GT(bench.target(index).rtt_ns, 0U);
    for (int i = 0; i < 2; ++i) {
      EXPECT_EQ(bench.health(index), XF_HEALTH_UP);
      miss(index);
    }
    EXPECT_EQ(bench.health(index), XF_HEALTH_DOWN);
    EXPECT_EQ(bench.target(index).results[XF_RESULT_TIMEOUT], 2U);
  });
}

TEST_F(EachProbe, AReplyCountsAsSoonAsTheProbeIsBuilt) {
  for_each([this](const AProbe& kind) {
    const auto index = bench.add(kind.probe, kind.address);
    const auto frame = bench.build(index);
    bench.receive(kind.reply(ProbeBench::bytes(frame)));
    EXPECT_EQ(bench.target(index).results[XF_RESULT_OK], 1U);
    bench.arm(frame);
    EXPECT_NE(bench.phase(index), XF_PROBE_PHASE_SENT) << "its deadline was set although it is settled";
  });
}

TEST_F(EachProbe, ATruncatedReplyIsNoReply) {
  for_each([this](const AProbe& kind) {
    const auto index = bench.add(kind.probe, kind.address);
    const auto frame = bench.build(index);
    const Bytes whole = kind.reply(ProbeBench::bytes(frame));
    for (size_t size = 14; size < whole.size(); ++size) {
      if (kind.probe == XF_PROBE_ARP && size >= 42 && !is_ipv6(whole)) break;  // padding
      bench.receive(Bytes(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(size)));
      ASSERT_EQ(bench.target(index).results[XF_RESULT_OK], 0U) << size << " of " << whole.size() << " bytes";
    }
  });
}

TEST_F(EachProbe, ASecondCopyOfAReplyChangesNothing) {
  for_each([this](const AProbe& kind) {
    const auto index = bench.add(kind.probe, kind.address);
    const Bytes reply = kind.reply(ProbeBench::bytes(bench.send(index)));
    bench.receive(reply);
    const auto once = bench.target(index);
    EXPECT_EQ(bench.receive(reply).first, static_cast<uint32_t>(XDP_PASS));
    const auto twice = bench.target(index);
    EXPECT_EQ(twice.successes, once.successes);
    EXPECT_EQ(twice.results[XF_RESULT_OK], 1U);
    EXPECT_EQ(twice.results[XF_RESULT_LATE], 0U);
  });
}

TEST_F(Probe, AWrongTokenIsNoReply) {
  const auto index = bench.add(XF_PROBE_ICMP, ProbeBench::peer4);
  Bytes forged = echo_reply(ProbeBench::bytes(bench.send(index)));
  forged.back() ^= 1;
  EXPECT_EQ(bench.receive(forged).first, static_cast<uint32_t>(XDP_PASS));
  EXPECT_EQ(bench.target(index).results[XF_RESULT_OK], 0U);

  const auto web = bench.add(XF_PROBE_TCP, ProbeBench::peer4);
  forged = tcp_reply(ProbeBench::bytes(bench.send(web)), syn_ack);
  forged.at(l4_of(forged) + 11) ^= 1;
  EXPECT_EQ(bench.receive(forged).first, static_cast<uint32_t>(XDP_PASS));
  EXPECT_EQ(bench.target(web).results[XF_RESULT_OK], 0U);
}

TEST_F(Probe, AReplyFromSomebodyElseIsNoReply) {
  const auto index = bench.add(XF_PROBE_ICMP, ProbeBench::peer4);
  Bytes forged = echo_reply(ProbeBench::bytes(bench.send(index)));
  forged.at(l3 + 15) = 9;
  bench.receive(forged);
  EXPECT_EQ(bench.target(index).results[XF_RESULT_OK], 0U);
}

TEST_F(Probe, WhatComesAfterTheVerdictIsLate) {
  using Reply = Bytes (*)(const Bytes&);
  for (const auto& [probe, reply] : {std::pair<xf_probe, Reply>(XF_PROBE_ICMP, echo_reply),
                                     {XF_PROBE_TCP, syn_ack_to},
                                     {XF_PROBE_UDP, datagram_to}}) {
    const auto index = bench.add(probe, ProbeBench::peer4);
    const auto frame = bench.send(index);
    ASSERT_TRUE(settles(index, frame.sequence));
    bench.receive(reply(ProbeBench::bytes(frame)));
    const auto next = bench.send(index);
    bench.receive(reply(ProbeBench::bytes(frame)));
    EXPECT_EQ(bench.target(index).results[XF_RESULT_LATE], 2U) << probe;
    EXPECT_EQ(bench.target(index).results[XF_RESULT_OK], 0U) << probe;
    bench.receive(reply(ProbeBench::bytes(next)));
    EXPECT_EQ(bench.target(index).results[XF_RESULT_OK], 1U) << probe;
  }
}

TEST_F(Probe, ASynAckIsAnsweredByARstInItsPlace) {
  for (const auto* peer : {ProbeBench::peer4, ProbeBench::peer6}) {
    const auto index = bench.add(XF_PROBE_TCP, peer);
    const Bytes probe = ProbeBench::bytes(bench.send(index));
    Bytes reply = syn_ack_to(probe);
    reply.resize(reply.size() + 6);  // padding
    auto [verdict, rst] = bench.receive(reply);
    const size_t l4 = l4_of(probe);
    EXPECT_EQ(verdict, static_cast<uint32_t>(XDP_TX));
    EXPECT_EQ(rst.size(), reply.size());
    EXPECT_EQ(read16(rst, is_ipv6(rst) ? l3 + 4 : l3 + 2), is_ipv6(rst) ? 20 : 40) << "all else is a trailer";
    rst.resize(l4 + 20);
    EXPECT_TRUE(std::equal(probe.begin(), probe.begin() + 12, rst.begin())) << "MACs";
    EXPECT_TRUE(std::equal(probe.begin() + static_cast<ptrdiff_t>(l4),
                           probe.begin() + static_cast<ptrdiff_t>(l4) + 4,
                           rst.begin() + static_cast<ptrdiff_t>(l4)))
        << "ports";
    EXPECT_EQ(read32(rst, l4 + 4), read32(probe, l4 + 4) + 1) << "sequence number";
    EXPECT_EQ(read16(rst, l4 + 12), 0x5004) << "RST alone";
    EXPECT_EQ(transport_sum(rst, 6), 0xffff);
    if (!is_ipv6(rst)) {
      EXPECT_EQ(ones_sum(rst, l3, l3 + 20), 0xffff);
    }
  }
}

TEST_F(Probe, ARefusalIsWhatTheConfigurationSays) {
  const auto down = bench.add(XF_PROBE_TCP, ProbeBench::peer4);
  const auto up = bench.add(XF_PROBE_TCP, ProbeBench::peer6, [](auto& config) { config.refused_is_up = 1; });
  for (int i = 0; i < 2; ++i)
    for (const auto index : {down, up})
      EXPECT_EQ(bench.receive(tcp_reply(ProbeBench::bytes(bench.send(index)), rst_ack)).first,
                static_cast<uint32_t>(XDP_PASS));
  EXPECT_EQ(bench.health(down), XF_HEALTH_DOWN);
  EXPECT_EQ(bench.target(down).error, XF_CAUSE_REFUSED);
  EXPECT_EQ(bench.target(down).results[XF_RESULT_UNREACHABLE], 2U);
  EXPECT_EQ(bench.health(up), XF_HEALTH_UP);
}

TEST_F(Probe, ADatagramMustBeginAsExpected) {
  const auto index = bench.add(XF_PROBE_UDP, ProbeBench::peer4, [](auto& config) {
    config.expect_length = 3;
    std::copy_n("pon", 3, config.expect);
  });
  for (const auto* wrong : {"", "po", "pan", "xpon"}) {
    const auto before = bench.target(index).results[XF_RESULT_UNREACHABLE];
    bench.receive(udp_reply(ProbeBench::bytes(bench.send(index)), wrong));
    EXPECT_EQ(bench.target(index).results[XF_RESULT_UNREACHABLE], before + 1) << wrong;
    EXPECT_EQ(bench.target(index).error, XF_CAUSE_MISMATCH);
  }
  bench.receive(udp_reply(ProbeBench::bytes(bench.send(index)), "pong"));
  EXPECT_EQ(bench.target(index).results[XF_RESULT_OK], 1U);
}

TEST_F(Probe, ThePaddingOfAShortFrameIsNoPayload) {
  const auto index = bench.add(XF_PROBE_UDP, ProbeBench::peer4, [](auto& config) {
    config.expect_length = 3;
    std::copy_n("p\0\0", 3, config.expect);
  });
  auto padded = udp_reply(ProbeBench::bytes(bench.send(index)), "p");
  padded.resize(60);
  bench.receive(padded);
  EXPECT_EQ(bench.target(index).results[XF_RESULT_UNREACHABLE], 1U);
  bench.receive(udp_reply(ProbeBench::bytes(bench.send(index)), std::string("p\0\0", 3)));
  EXPECT_EQ(bench.target(index).results[XF_RESULT_OK], 1U);
}

TEST_F(Probe, AnIcmpErrorThatQuotesItCountsOneAtOnce) {
  for (const auto probe : {XF_PROBE_ICMP, XF_PROBE_TCP, XF_PROBE_UDP})
    for (const auto* peer : {ProbeBench::peer4, ProbeBench::peer6}) {
      const auto index = bench.add(probe, peer);
      const bool ipv6 = peer == ProbeBench::peer6;
      bench.receive(icmp_error(ProbeBench::bytes(bench.send(index)), ipv6 ? 1 : 3, 1));
      const auto target = bench.target(index);
      EXPECT_EQ(target.results[XF_RESULT_UNREACHABLE], 1U) << probe << peer;
      EXPECT_EQ(target.error, XF_CAUSE_ICMP_ERROR);
      EXPECT_EQ(target.icmp_code, 1);
      EXPECT_EQ(target.results[XF_RESULT_TIMEOUT], 0U);
    }
}

TEST_F(Probe, AnIcmpErrorAboutAnotherProbeOrThatTellsNothingCountsNothing) {
  const auto index = bench.add(XF_PROBE_ICMP, ProbeBench::peer4);
  const Bytes probe = ProbeBench::bytes(bench.send(index));
  bench.receive(icmp_error(probe, 3, 4));  // fragmentation needed
  bench.receive(icmp_error(probe, 5));     // redirect
  Bytes forged = probe;
  forged.at(l4_of(probe) + 7) ^= 1;
  bench.receive(icmp_error(forged, 3, 1));
  EXPECT_EQ(bench.target(index).results[XF_RESULT_UNREACHABLE], 0U);
  EXPECT_EQ(bench.phase(index), XF_PROBE_PHASE_SENT);
}

TEST_F(Probe, NoProbeSentNoVerdict) {
  const auto due = bench.add(XF_PROBE_ICMP, ProbeBench::peer4);
  const auto built = bench.add(XF_PROBE_ICMP, ProbeBench::peer6);
  const auto watch = bench.add(XF_PROBE_ICMP, ProbeBench::far4);  // shows that time goes by
  const auto frame = bench.build(built);
  for (int i = 0; i < 4; ++i) miss(watch);
  EXPECT_EQ(bench.health(watch), XF_HEALTH_DOWN);
  EXPECT_EQ(bench.phase(due), XF_PROBE_PHASE_DUE);
  EXPECT_EQ(bench.phase(built), XF_PROBE_PHASE_SENDING);
  for (const auto index : {due, built}) EXPECT_EQ(bench.target(index).failures, 0U);
  bench.arm(frame);
  EXPECT_EQ(bench.phase(built), XF_PROBE_PHASE_SENT) << "its deadline counts from when it was sent";
}

TEST_F(Probe, ThoseThatWereLateTogetherComeApartAgain) {
  constexpr uint64_t interval_ns = 163'000'000, grid_ns = 5'000'000;  // no multiple of the grid
  const auto slowly = [](xf_target_config& config) {
    config.interval_ns = config.down_interval_ns = interval_ns;
  };
  const auto one = bench.add(XF_PROBE_ICMP, ProbeBench::peer4, slowly);
  ASSERT_TRUE(bench.becomes(one, [](const xf_target& target) { return target.phase == XF_PROBE_PHASE_DUE; }));
  const auto other = bench.add(XF_PROBE_ICMP, ProbeBench::peer6, slowly);
  const auto apart_ns = bench.target(other).due_ns - bench.target(one).due_ns;
  ASSERT_GT(apart_ns % interval_ns, 0U);
  const auto watch = bench.add(XF_PROBE_ICMP, ProbeBench::far4);  // shows that nobody probes for long
  for (int i = 0; i < 4; ++i) miss(watch);
  answer(one);
  answer(other);
  const auto now_ns = monotonic_ns();
  const auto first = bench.target(one), second = bench.target(other);
  // Whichever is next.
  EXPECT_EQ((second.turn_ns + interval_ns - first.turn_ns % interval_ns) % interval_ns,
            apart_ns % interval_ns);
  for (const auto& target : {first, second}) {
    EXPECT_LT(target.due_ns - target.turn_ns, grid_ns) << "before its turn, or long after it";
    EXPECT_LT(target.due_ns, now_ns + interval_ns + grid_ns);
    EXPECT_EQ(target.results[XF_RESULT_OK], 1U) << "what was missed is made up for";
  }
}

TEST_F(Probe, ATimeoutAsLongAsTheIntervalHasTheNextOneDueWithTheVerdict) {
  const auto index = bench.add(XF_PROBE_ICMP, ProbeBench::peer4, [](xf_target_config& config) {
    config.interval_ns = config.down_interval_ns = config.timeout_ns = 2'000'000'000;
  });
  const auto frame = bench.send(index);
  ASSERT_TRUE(settles(index, frame.sequence));
  const auto target = bench.target(index);
  EXPECT_NE(target.due_ns % 5'000'000, 0U) << "it waits for the grid";
  EXPECT_GE(target.due_ns, target.deadline_ns);
}

TEST_F(Probe, OneThatCouldNotBeSentIsAVerdictOnlyIfTheKernelKnows) {
  const auto index = bench.add(XF_PROBE_ICMP, ProbeBench::peer4);
  for (const auto cause :
       {XF_CAUSE_RESOLVING, XF_CAUSE_NOT_SENT, XF_CAUSE_NOT_OBSERVED, XF_CAUSE_NO_SOURCE}) {
    bench.arm(bench.build(index), cause);
    EXPECT_EQ(bench.target(index).failures, 0U) << cause;
    EXPECT_EQ(bench.target(index).error, cause);
  }
  EXPECT_EQ(bench.target(index).results[XF_RESULT_UNRESOLVED], 4U);
  bench.arm(bench.build(index), XF_CAUSE_NO_NEIGHBOUR);
  EXPECT_EQ(bench.target(index).failures, 1U);
  bench.arm(bench.build(index), XF_CAUSE_NO_ROUTE);
  EXPECT_EQ(bench.target(index).failures, 2U);
  EXPECT_EQ(bench.health(index), XF_HEALTH_DOWN);
}

TEST_F(Probe, EachChangeOfStateIsOneEvent) {
  const auto index = bench.add(XF_PROBE_ICMP, ProbeBench::peer4);
  for (int i = 0; i < 3; ++i) answer(index);
  for (int i = 0; i < 3; ++i) miss(index);
  const auto events = bench.events();
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[0].index, index);
  EXPECT_EQ(events[0].before, XF_HEALTH_UNKNOWN);
  EXPECT_EQ(events[0].after, XF_HEALTH_UP);
  EXPECT_EQ(events[0].cause, XF_CAUSE_REPLY);
  EXPECT_GT(events[0].rtt_ns, 0U);
  EXPECT_EQ(events[1].before, XF_HEALTH_UP);
  EXPECT_EQ(events[1].after, XF_HEALTH_DOWN);
  EXPECT_EQ(events[1].cause, XF_CAUSE_TIMEOUT);
  EXPECT_GT(events[1].lateness_ns, 0U);
  EXPECT_EQ(bench.target(index).transitions[XF_HEALTH_UP], 1U);
  EXPECT_EQ(bench.target(index).transitions[XF_HEALTH_DOWN], 1U);
}

/// 'o': a reply, 'x': none. What `health` says after each.
struct Walk {
  uint32_t fall, rise;
  const char* outcomes;
  const char* states;  // 'u'p, 'd'own, '?'
};

TEST_F(Probe, HealthFollowsConsecutiveOutcomes) {
  for (const auto& walk :
       {Walk{1, 1, "oxox", "udud"}, Walk{2, 2, "ooxoxxo", "?uuuudd"}, Walk{3, 1, "xxxo", "??du"},
        Walk{1, 3, "xooo", "dddu"}, Walk{3, 2, "xoxoxo", "??????"}}) {
    const auto index = bench.add(XF_PROBE_ICMP, ProbeBench::peer4, [&](auto& config) {
      config.fall = walk.fall;
      config.rise = walk.rise;
    });
    std::string states;
    for (const char* outcome = walk.outcomes; *outcome; ++outcome) {
      *outcome == 'o' ? answer(index) : miss(index);
      states += "?ud"[bench.health(index)];
    }
    EXPECT_EQ(states, walk.states) << walk.outcomes << ", fall " << walk.fall << ", rise " << walk.rise;
    bench.stop(index);
  }
}

TEST_F(Probe, SharersAreToldByOneProbeAndFallEachInItsTime) {
  const auto quick = bench.add(XF_PROBE_ICMP, ProbeBench::peer4, [](auto& config) { config.fall = 1; });
  const auto slow = bench.add(XF_PROBE_ICMP, ProbeBench::peer4, [&](auto& config) {
    config.first_sharer = quick;
    config.fall = 3;
  });
  bench.configure(quick, [&](auto& config) { config.next_sharer = slow; });
  miss(quick);
  EXPECT_EQ(bench.health(quick), XF_HEALTH_DOWN);
  EXPECT_EQ(bench.health(slow), XF_HEALTH_UNKNOWN);
  EXPECT_EQ(bench.target(slow).failures, 1U);
  miss(quick);
  miss(quick);
  EXPECT_EQ(bench.health(slow), XF_HEALTH_DOWN);
  EXPECT_EQ(bench.events().size(), 2U);
}

TEST_F(Probe, ATargetThatIsStoppedFallsDueNoMore) {
  const auto index = bench.add(XF_PROBE_ICMP, ProbeBench::peer4);
  answer(index);
  bench.stop(index);
  const auto watch = bench.add(XF_PROBE_ICMP, ProbeBench::peer6);
  for (int i = 0; i < 3; ++i) miss(watch);
  EXPECT_EQ(bench.phase(index), XF_PROBE_PHASE_STOPPED);
  bench.start(index);
  EXPECT_EQ(bench.build(index).sequence, 2U);
}

/// One that is stopped as it falls due has no entry in the ring, or one that the kernel takes back.
TEST_F(Probe, OneThatFallsDueWakesTheDaemonWhateverWasStoppedBefore) {
  if (std::thread::hardware_concurrency() < 2)
    GTEST_SKIP() << "this kernel has one CPU: nothing is stopped as it falls due";
  const auto often = [](xf_target_config& config) {
    config.interval_ns = config.down_interval_ns = 1'000'000;
    config.timeout_ns = 500'000;
  };
  const auto stopped = bench.add(XF_PROBE_ICMP, ProbeBench::far4, often);
  const auto watch = bench.add(XF_PROBE_ICMP, ProbeBench::peer4, often);
  bench.stop(watch);
  const auto stop_as_it_falls_due = [&](int round) {
    stay_on_cpu(0);  // on which its timer fires
    bench.start(stopped);
    const auto moment_ns = bench.target(stopped).due_ns + round * 997 % 50'000;
    stay_on_cpu(1);
    while (monotonic_ns() < moment_ns) {
    }
    bench.stop(stopped);
  };
  std::thread([&] {
    for (int round = 0; round < 3000; ++round) {
      stop_as_it_falls_due(round);
      if (bench.is_woken(std::chrono::milliseconds(0))) bench.read_due();
      bench.start(watch);
      ASSERT_TRUE(bench.is_woken()) << "round " << round;
      bench.stop(watch);
      bench.read_due();
    }
  }).join();
}

TEST_F(Probe, RepliesAreNoFlowsOfTheRouter) {
  const auto index = bench.add(XF_PROBE_ICMP, ProbeBench::peer4);
  answer(index);
  EXPECT_EQ(bench.tracker().live(XF_TABLE_HALF_OPEN), 0U);
  EXPECT_EQ(bench.tracker().interface_stats().untracked[XF_UNTRACKED_PROBE], 1U);
}

TEST_F(Probe, PingsAndConnectionsOfOthersAreTrackedAsEver) {
  bench.add(XF_PROBE_ICMP, ProbeBench::peer4);
  bench.tracker().run(icmp().from(ProbeBench::peer4).to(ProbeBench::own4).icmp_id(ProbeBench::own_port));
  bench.tracker().run(
      tcp().from(ProbeBench::peer4, 443).to(ProbeBench::own4, ProbeBench::own_port).syn().ack());
  EXPECT_EQ(bench.tracker().live(XF_TABLE_HALF_OPEN), 2U);
}

}  // namespace
}  // namespace xdpflowd::test

// SPDX-License-Identifier: GPL-2.0-or-later
#include "xdpflow/abi.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <memory>

#include "xdpflow.skel.h"

extern "C" {
size_t flow_size_in_c();
size_t record_size_in_c();
size_t flow_timer_offset_in_c();
}

namespace {

TEST(Abi, IsTheSameInCAndCxx) {
  EXPECT_EQ(flow_size_in_c(), sizeof(xf_flow));
  EXPECT_EQ(record_size_in_c(), sizeof(xf_record));
  EXPECT_EQ(flow_timer_offset_in_c(), offsetof(xf_flow, timer));
}

TEST(Abi, KeyAndValueStayWithin160Bytes) {
  EXPECT_LE(sizeof(xf_flow_key) + sizeof(xf_flow), 160u);
}

TEST(Abi, AnLruElementIsThreeCacheLines) {
  constexpr size_t element_head = 48;  // struct htab_elem before the key
  EXPECT_EQ((element_head + sizeof(xf_flow_key) + sizeof(xf_flow)) % 64, 0u);
}

struct SizeCase {
  const char* name;
  size_t size;
};

class AbiSize : public testing::TestWithParam<SizeCase> {};

TEST_P(AbiSize, IsTheSameInTheBpfObject) {
  const std::unique_ptr<xdpflow_bpf, void (*)(xdpflow_bpf*)> skeleton(xdpflow_bpf__open(),
                                                                      xdpflow_bpf__destroy);
  ASSERT_NE(skeleton, nullptr);
  const btf* types = bpf_object__btf(skeleton->obj);
  const int id = btf__find_by_name_kind(types, GetParam().name, BTF_KIND_STRUCT);
  ASSERT_GT(id, 0) << GetParam().name << " is not in the object's BTF";
  EXPECT_EQ(btf__type_by_id(types, static_cast<__u32>(id))->size, GetParam().size);
}

#define SIZE_OF(type)   \
  SizeCase {            \
#type, sizeof(type) \
  }
INSTANTIATE_TEST_SUITE_P(Types, AbiSize,
                         testing::Values(SIZE_OF(xf_flow_key), SIZE_OF(xf_flow), SIZE_OF(xf_record),
                                         SIZE_OF(xf_event), SIZE_OF(xf_ended), SIZE_OF(xf_orphan),
                                         SIZE_OF(xf_crowd), SIZE_OF(xf_reaper), SIZE_OF(xf_interface_stats),
                                         SIZE_OF(xf_zone_stats), SIZE_OF(xf_global_stats),
                                         SIZE_OF(xf_histogram), SIZE_OF(xf_zone_rule),
                                         SIZE_OF(xf_cached_rule), SIZE_OF(xf_zone), SIZE_OF(xf_interface),
                                         SIZE_OF(xf_control), SIZE_OF(xf_ledger)),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace

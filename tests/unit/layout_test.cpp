// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/layout.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>

#include "xdpflow/abi.h"

#include "admin.skel.h"
#include "census.skel.h"
#include "xdpflow.skel.h"

namespace xdpflowd {
namespace {

/// What differs between two versions of the source.
struct Source {
  int map_type = BPF_MAP_TYPE_HASH;
  int max_entries = 1024;
  int inner_map_type = BPF_MAP_TYPE_LRU_HASH;
  std::string map_name = "sizes";
  std::string key_member = "id";
  int counter_bytes = 8;
  bool counter_signed = false;
  int counters = 4;
  bool counters_first = false;
  bool counter_behind_typedef = false;
  int record_bytes = 8;
  int inner_value_counters = 2;
  bool opaque_timer_members = false;
  bool other_types_first = false;
  bool has_records = true;
};

/// Writes the BTF that clang would, in the notation of libbpf's map declarations.
class TypeWriter {
 public:
  explicit TypeWriter(const Source& source) : source_(source), types_(btf__new_empty(), &btf__free) {
    if (source.other_types_first) btf__add_int(get(), "unrelated", 2, 0);
    int32_ = btf__add_int(get(), "int", 4, BTF_INT_SIGNED);
    add_maps();
    if (!source.has_records) return;
    add_struct("xf_record", source.record_bytes, {{"start", integer(source.record_bytes)}});
    for (const char* name : {"xf_event", "xf_target_event", "xf_due"})
      add_struct(name, 8, {{"time", integer(8)}});
  }

  btf* get() const { return types_.get(); }

 private:
  struct Member {
    std::string name;
    int type;
    int at_byte = 0;
  };

  int integer(int bytes) {
    return btf__add_int(get(), ("u" + std::to_string(8 * bytes)).c_str(), static_cast<size_t>(bytes),
                        source_.counter_signed ? BTF_INT_SIGNED : 0);
  }
  int array(int type, int length) {
    return btf__add_array(get(), int32_, type, static_cast<uint32_t>(length));
  }
  int number(int value) { return btf__add_ptr(get(), array(int32_, value)); }
  int pointer(int type) { return btf__add_ptr(get(), type); }

  int add_struct(const std::string& name, int bytes, const std::vector<Member>& members) {
    const int id = btf__add_struct(get(), name.c_str(), static_cast<uint32_t>(bytes));
    for (const auto& member : members)
      btf__add_field(get(), member.name.c_str(), member.type, static_cast<uint32_t>(8 * member.at_byte), 0);
    return id;
  }

  int value_type(const std::string& name, int counters) {
    int counter = integer(source_.counter_bytes);
    if (source_.counter_behind_typedef) counter = btf__add_typedef(get(), "__u64", counter);
    const int timer = add_timer();
    const int size = source_.counter_bytes * counters;
    const int first = source_.counters_first ? 0 : 16;
    const int all = array(counter, counters);
    return add_struct(name, size + 16, {{"timer", timer, 16 - first}, {"counters", all, first}});
  }

  int add_timer() {
    if (!source_.opaque_timer_members) return add_struct("bpf_timer", 16, {});
    const int words = array(integer(8), 2);
    return add_struct("bpf_timer", 16, {{"__opaque", words}});
  }

  void add_maps() {
    const int key = add_struct("key", 4, {{source_.key_member, int32_}});
    const int value = value_type("value", source_.counters);
    const int flow = value_type("flow", source_.inner_value_counters);
    const int inner = add_struct(
        "flow_table", 0,
        {{"type", number(source_.inner_map_type)}, {"key", pointer(key)}, {"value", pointer(flow)}});
    const int plain = add_struct("", 0,
                                 {{"type", number(source_.map_type)},
                                  {"max_entries", number(source_.max_entries)},
                                  {"key", pointer(key)},
                                  {"value", pointer(value)}});
    const int outer = add_struct("", 0,
                                 {{"type", number(BPF_MAP_TYPE_ARRAY_OF_MAPS)},
                                  {"key", pointer(int32_)},
                                  {"values", array(pointer(inner), 0)}});
    const int first = btf__add_var(get(), source_.map_name.c_str(), BTF_VAR_GLOBAL_ALLOCATED, plain);
    const int second = btf__add_var(get(), "tables", BTF_VAR_GLOBAL_ALLOCATED, outer);
    btf__add_datasec(get(), ".maps", 64);
    btf__add_datasec_var_info(get(), first, 0, 32);
    btf__add_datasec_var_info(get(), second, 32, 32);
  }

  const Source source_;
  std::unique_ptr<btf, decltype(&btf__free)> types_;
  int int32_ = 0;
};

Result<uint64_t> layout_of(const Source& source) {
  return xdpflowd::layout_of(TypeWriter(source).get());
}

struct Change {
  const char* what;
  std::function<void(Source&)> make;
};

class AnotherLayout : public testing::TestWithParam<Change> {};
class SameLayout : public testing::TestWithParam<Change> {};

TEST_P(AnotherLayout, HasAnotherHash) {
  Source changed;
  GetParam().make(changed);
  EXPECT_NE(*layout_of(changed), *layout_of(Source{}));
}

TEST_P(SameLayout, HasTheSameHash) {
  Source changed;
  GetParam().make(changed);
  EXPECT_EQ(*layout_of(changed), *layout_of(Source{}));
}

std::string name_of(const testing::TestParamInfo<Change>& info) {
  return info.param.what;
}

INSTANTIATE_TEST_SUITE_P(
    Layout, AnotherLayout,
    testing::Values(Change{"TypeOfAMap", [](Source& s) { s.map_type = BPF_MAP_TYPE_LRU_HASH; }},
                    Change{"TypeOfAnInnerMap", [](Source& s) { s.inner_map_type = BPF_MAP_TYPE_HASH; }},
                    Change{"NameOfAMap", [](Source& s) { s.map_name = "volumes"; }},
                    Change{"NameOfAMemberOfAKey", [](Source& s) { s.key_member = "index"; }},
                    Change{"SizeOfAMember", [](Source& s) { s.counter_bytes = 4; }},
                    Change{"SignOfAMember", [](Source& s) { s.counter_signed = true; }},
                    Change{"LengthOfAnArray", [](Source& s) { s.counters = 5; }},
                    Change{"OffsetOfAMember", [](Source& s) { s.counters_first = true; }},
                    Change{"ValueOfAnInnerMap", [](Source& s) { s.inner_value_counters = 3; }},
                    Change{"Record", [](Source& s) { s.record_bytes = 4; }}),
    name_of);

INSTANTIATE_TEST_SUITE_P(
    Layout, SameLayout,
    testing::Values(Change{"SizeOfAMap", [](Source& s) { s.max_entries = 65536; }},
                    Change{"TypedefOfTheSameType", [](Source& s) { s.counter_behind_typedef = true; }},
                    Change{"OtherTypeIds", [](Source& s) { s.other_types_first = true; }},
                    Change{"NewerKernelHeaders", [](Source& s) { s.opaque_timer_members = true; }}),
    name_of);

TEST(Layout, OfTypesWithoutTheRecordIsRefused) {
  const auto layout = layout_of(Source{.has_records = false});
  ASSERT_FALSE(layout);
  EXPECT_NE(layout.error().message.find("xf_record"), std::string::npos);
}

TEST(Layout, OfTypesWithoutMapsIsRefused) {
  const std::unique_ptr<btf, decltype(&btf__free)> nothing(btf__new_empty(), &btf__free);
  EXPECT_FALSE(xdpflowd::layout_of(nothing.get()));
}

template <class Skeleton>
uint64_t layout_of_embedded() {
  size_t size = 0;
  const void* bytes = Skeleton::elf_bytes(&size);
  const std::unique_ptr<bpf_object, decltype(&bpf_object__close)> object(
      bpf_object__open_mem(bytes, size, nullptr), &bpf_object__close);
  const auto layout = xdpflowd::layout_of(bpf_object__btf(object.get()));
  return layout ? *layout : 0;
}

/// Upgrades tell older from newer by the number: a layout of another hash needs another one.
TEST(Layout, HasANumberOfItsOwn) {
  const auto own = layout_hash();
  ASSERT_TRUE(own) << own.error().message;
  EXPECT_EQ(static_cast<int>(XF_LAYOUT_REVISION), 4);
  EXPECT_EQ(*own, 0x4a176af97f1b3379ULL)
      << "the layout has changed: raise XF_LAYOUT_REVISION, and enter both here";
}

TEST(Layout, IsTheSameInAllObjectsOfABuild) {
  const auto own = layout_hash();
  ASSERT_TRUE(own) << own.error().message;
  EXPECT_EQ(layout_of_embedded<xdpflow_bpf>(), *own);
  EXPECT_EQ(layout_of_embedded<admin_bpf>(), *own);
  EXPECT_EQ(layout_of_embedded<census_bpf>(), *own);
}

}  // namespace
}  // namespace xdpflowd

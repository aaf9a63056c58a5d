// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/struct_translator.h"

#include <bpf/btf.h>
#include <gmock/gmock.h>

#include <cstring>
#include <memory>

namespace xdpflowd {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct Member {
  const char* name;
  int type;
  int offset;  // bytes
};

/// Types of one side, written by hand.
class Types {
 public:
  int integer(int bytes, bool is_signed = false) {
    const auto name = "int" + std::to_string(bytes) + (is_signed ? "s" : "u");
    return btf__add_int(get(), name.c_str(), static_cast<size_t>(bytes), is_signed ? BTF_INT_SIGNED : 0);
  }
  int array(int type, unsigned length) { return btf__add_array(get(), type, type, length); }
  int structure(const char* name, unsigned size, const std::vector<Member>& members) {
    return fill(btf__add_struct(get(), name, size), members);
  }
  int either(const char* name, unsigned size, const std::vector<Member>& members) {
    return fill(btf__add_union(get(), name, size), members);
  }
  btf* get() const { return types_.get(); }

 private:
  int fill(int id, const std::vector<Member>& members) {
    for (const auto& member : members)
      btf__add_field(get(), member.name, member.type, static_cast<uint32_t>(8 * member.offset), 0);
    return id;
  }

  std::unique_ptr<btf, decltype(&btf__free)> types_{btf__new_empty(), &btf__free};
};

class Translation : public testing::Test {
 protected:
  StructTranslator translator() const {
    auto made = StructTranslator::between(theirs.get(), ours.get(), "thing");
    if (!made) throw std::runtime_error(made.error().message);
    return *made;
  }
  std::vector<uint8_t> translate(const std::vector<uint8_t>& bytes) const {
    std::vector<uint8_t> made(translator().our_size(), 0xee);
    translator().translate(bytes.data(), made.data());
    return made;
  }

  Types theirs, ours;
};

TEST_F(Translation, MembersAreFoundByTheirNames) {
  theirs.structure("thing", 3, {{"a", theirs.integer(1), 0}, {"b", theirs.integer(2), 1}});
  ours.structure("thing", 4, {{"b", ours.integer(2), 0}, {"a", ours.integer(1), 3}});
  EXPECT_THAT(translate({1, 2, 3}), ElementsAre(2, 3, 0, 1));
  EXPECT_THAT(translator().gaps(), IsEmpty());
}

TEST_F(Translation, SmallerNumbersAreExtended) {
  theirs.structure("thing", 2, {{"a", theirs.integer(1), 0}, {"b", theirs.integer(1, true), 1}});
  ours.structure("thing", 6, {{"a", ours.integer(4), 0}, {"b", ours.integer(2, true), 4}});
  EXPECT_THAT(translate({0xff, 0xfe}), ElementsAre(0xff, 0, 0, 0, 0xfe, 0xff));
}

TEST_F(Translation, LargerNumbersAreAGap) {
  theirs.structure("thing", 8, {{"a", theirs.integer(8), 0}});
  ours.structure("thing", 4, {{"a", ours.integer(4), 0}});
  EXPECT_THAT(translator().gaps(), ElementsAre("a has 8 bytes there, 4 here"));
  EXPECT_THAT(translate({1, 1, 1, 1, 1, 1, 1, 1}), ElementsAre(0, 0, 0, 0));
}

TEST_F(Translation, WhatIsMissingIsSaidAndZero) {
  theirs.structure("thing", 1, {{"old", theirs.integer(1), 0}});
  ours.structure("thing", 1, {{"a", ours.integer(1), 0}});
  EXPECT_THAT(translate({7}), ElementsAre(0));
  EXPECT_THAT(translator().gaps(), ElementsAre("a is not there"));
  EXPECT_THAT(translator().left_over(), ElementsAre("old"));
}

TEST_F(Translation, ShorterArraysOfStructsFillTheirPart) {
  const int their_pair =
      theirs.structure("pair", 2, {{"x", theirs.integer(1), 0}, {"y", theirs.integer(1), 1}});
  theirs.structure("thing", 4, {{"pairs", theirs.array(their_pair, 2), 0}});
  const int our_pair = ours.structure("pair", 2, {{"y", ours.integer(1), 0}, {"x", ours.integer(1), 1}});
  ours.structure("thing", 6, {{"pairs", ours.array(our_pair, 3), 0}});
  EXPECT_THAT(translate({1, 2, 3, 4}), ElementsAre(2, 1, 4, 3, 0, 0));
}

TEST_F(Translation, LongerArraysAreAGap) {
  theirs.structure("thing", 4, {{"a", theirs.array(theirs.integer(1), 4), 0}});
  ours.structure("thing", 2, {{"a", ours.array(ours.integer(1), 2), 0}});
  EXPECT_THAT(translator().gaps(), ElementsAre("a has 4 elements there, 2 here"));
}

/// union xf_status: its parts count, not the word that they make together.
TEST_F(Translation, OfAUnionTheFirstMemberCounts) {
  const auto status = [](Types& types, int state, int timeout) {
    const int parts =
        types.structure("", 2, {{"state", types.integer(1), state}, {"timeout", types.integer(1), timeout}});
    return types.either("status", 2, {{"", parts, 0}, {"word", types.integer(2), 0}});
  };
  theirs.structure("thing", 2, {{"status", status(theirs, 0, 1), 0}});
  ours.structure("thing", 2, {{"status", status(ours, 1, 0), 0}});
  EXPECT_THAT(translate({1, 2}), ElementsAre(2, 1));
  EXPECT_THAT(translator().gaps(), IsEmpty());
}

TEST_F(Translation, PaddingAndTheKernelsOwnStructsAreNobodysLoss) {
  theirs.structure("thing", 9, {{"a", theirs.integer(1), 0}, {"zero", theirs.integer(8), 1}});
  const int timer = ours.structure("bpf_timer", 8, {{"opaque", ours.integer(8), 0}});
  const int their_timer = theirs.structure("bpf_timer", 8, {{"other", theirs.integer(8), 0}});
  theirs.structure("other", 8, {{"timer", their_timer, 0}});
  ours.structure("other", 8, {{"timer", timer, 0}});
  ours.structure("thing", 3, {{"a", ours.integer(1), 0}, {"zero2", ours.integer(2), 1}});
  EXPECT_THAT(translator().gaps(), IsEmpty());
  EXPECT_THAT(translator().left_over(), IsEmpty());
  const auto other = StructTranslator::between(theirs.get(), ours.get(), "other");
  ASSERT_TRUE(other);
  EXPECT_THAT(other->gaps(), IsEmpty());
}

TEST_F(Translation, LackingNamesOnlyWhatWasAskedFor) {
  const int their_count = theirs.structure("count", 8, {{"packets", theirs.integer(8), 0}});
  theirs.structure("thing", 8, {{"forward", their_count, 0}});
  const int our_count =
      ours.structure("count", 16, {{"packets", ours.integer(8), 0}, {"bytes", ours.integer(8), 8}});
  ours.structure("thing", 24, {{"forward", our_count, 0}, {"forwarded", ours.integer(8), 16}});
  EXPECT_EQ(translator().lacking({"forward"}), "forward.bytes is not there");
  EXPECT_EQ(translator().lacking({"forwarded"}), "forwarded is not there");
  EXPECT_EQ(translator().lacking({"for"}), "");
}

TEST_F(Translation, WithoutTheStructThereIsNone) {
  ours.structure("thing", 1, {{"a", ours.integer(1), 0}});
  const auto made = StructTranslator::between(theirs.get(), ours.get(), "thing");
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().message, "there is no struct thing");
}

}  // namespace
}  // namespace xdpflowd

// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/struct_translator.h"

#include <bpf/btf.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <string_view>

namespace xdpflowd {

namespace {

std::string text(const btf* types, uint32_t offset) {
  const char* found = btf__name_by_offset(types, offset);
  return found ? found : "";
}

/// Behind typedefs, const and volatile; nullptr if the id is bad.
const btf_type* resolve(const btf* types, uint32_t id) {
  const btf_type* type = btf__type_by_id(types, id);
  while (type && (btf_is_mod(type) || btf_is_typedef(type))) type = btf__type_by_id(types, type->type);
  return type;
}

bool is_number(const btf_type* type) {
  return btf_is_int(type) || btf_is_any_enum(type);
}

/// A type at its place.
struct Spot {
  const btf* types;
  uint32_t id;
  size_t offset;  // bytes
};

struct Member {
  std::string name;
  Spot spot;
};

/// Those of anonymous members count as the struct's own.
void collect(const Spot& whole, std::vector<Member>& members) {
  const btf_type* type = resolve(whole.types, whole.id);
  const uint32_t count = btf_is_union(type) ? std::min<uint32_t>(1, btf_vlen(type)) : btf_vlen(type);
  for (uint32_t i = 0; i < count; ++i) {
    const btf_member& member = btf_members(type)[i];
    const Spot spot{whole.types, member.type, whole.offset + btf_member_bit_offset(type, i) / 8};
    const auto name = text(whole.types, member.name_off);
    const btf_type* inner = resolve(whole.types, member.type);
    if (name.empty() && inner && btf_is_composite(inner))
      collect(spot, members);
    else if (!name.starts_with("zero") && btf_member_bitfield_size(type, i) == 0)
      members.push_back({name, spot});
  }
}

std::vector<Member> members_of(const Spot& whole) {
  std::vector<Member> members;
  collect(whole, members);
  return members;
}

std::string counts(const char* verb, uint64_t there, uint64_t here, const char* what) {
  return std::string(verb) + " " + std::to_string(there) + " " + what + " there, " + std::to_string(here) +
         " here";
}

}  // namespace

/// Walks both types at once.
class TranslationPlanner {
 public:
  explicit TranslationPlanner(StructTranslator& plan) : plan_(plan) {}

  void add_members(const std::string& path, const Spot& theirs, const Spot& ours) {
    auto their_members = members_of(theirs);
    for (const auto& [name, spot] : members_of(ours)) {
      const auto inner = path.empty() ? name : path + "." + name;
      const auto found = std::ranges::find(their_members, name, &Member::name);
      if (found == their_members.end()) {
        plan_.gaps_.push_back(inner + " is not there");
        continue;
      }
      add(inner, found->spot, spot);
      their_members.erase(found);
    }
    for (const auto& member : their_members)
      plan_.left_over_.push_back(path.empty() ? member.name : path + "." + member.name);
  }

 private:
  void add(const std::string& path, const Spot& theirs, const Spot& ours) {
    const btf_type* from = resolve(theirs.types, theirs.id);
    const btf_type* to = resolve(ours.types, ours.id);
    if (!from || !to) return;
    if (is_number(from) && is_number(to)) return add_number(path, theirs, ours);
    if (btf_is_array(from) && btf_is_array(to)) return add_array(path, theirs, ours);
    if (!btf_is_composite(from) || !btf_is_composite(to))
      plan_.gaps_.push_back(path + " is of another kind there");
    else if (!text(ours.types, to->name_off).starts_with("bpf_"))
      add_members(path, theirs, ours);
  }

  void add_number(const std::string& path, const Spot& theirs, const Spot& ours) {
    const btf_type* from = resolve(theirs.types, theirs.id);
    const btf_type* to = resolve(ours.types, ours.id);
    if (from->size > to->size)
      return plan_.gaps_.push_back(path + counts(" has", from->size, to->size, "bytes"));
    const bool is_signed = btf_is_int(from) && (btf_int_encoding(from) & BTF_INT_SIGNED) != 0;
    plan_.copies_.push_back({theirs.offset, ours.offset, from->size, to->size, is_signed});
  }

  void add_array(const std::string& path, const Spot& theirs, const Spot& ours) {
    const struct btf_array* from = ::btf_array(resolve(theirs.types, theirs.id));
    const struct btf_array* to = ::btf_array(resolve(ours.types, ours.id));
    if (from->nelems > to->nelems)
      return plan_.gaps_.push_back(path + counts(" has", from->nelems, to->nelems, "elements"));
    const auto from_step = static_cast<size_t>(btf__resolve_size(theirs.types, from->type));
    const auto to_step = static_cast<size_t>(btf__resolve_size(ours.types, to->type));
    for (uint32_t i = 0; i < from->nelems; ++i)
      add(path + "[" + std::to_string(i) + "]", {theirs.types, from->type, theirs.offset + i * from_step},
          {ours.types, to->type, ours.offset + i * to_step});
  }

  StructTranslator& plan_;
};

Result<StructTranslator> StructTranslator::between(const btf* theirs, const btf* ours,
                                                   const std::string& name) {
  const int from = btf__find_by_name_kind(theirs, name.c_str(), BTF_KIND_STRUCT);
  const int to = btf__find_by_name_kind(ours, name.c_str(), BTF_KIND_STRUCT);
  if (from < 0) return fail("there is no struct " + name);
  if (to < 0) return fail("this version has no struct " + name);
  StructTranslator plan;
  plan.their_size_ = btf__type_by_id(theirs, static_cast<uint32_t>(from))->size;
  plan.our_size_ = btf__type_by_id(ours, static_cast<uint32_t>(to))->size;
  TranslationPlanner(plan).add_members("", {theirs, static_cast<uint32_t>(from), 0},
                                       {ours, static_cast<uint32_t>(to), 0});
  return plan;
}

void StructTranslator::translate(const void* theirs, void* value) const {
  const auto* from = static_cast<const unsigned char*>(theirs);
  auto* to = static_cast<unsigned char*>(value);
  constexpr bool little = std::endian::native == std::endian::little;
  std::memset(to, 0, our_size_);
  for (const auto& copy : copies_) {
    const unsigned char top = from[copy.from + (little ? copy.from_size - 1 : 0)];
    if (copy.is_signed && (top & 0x80) != 0) std::memset(to + copy.to, 0xff, copy.to_size);
    const size_t place = little ? copy.to : copy.to + copy.to_size - copy.from_size;
    std::memcpy(to + place, from + copy.from, copy.from_size);
  }
}

std::string StructTranslator::lacking(const std::vector<std::string>& members) const {
  std::string found;
  for (const auto& gap : gaps_) {
    const auto named = [&](const std::string& member) {
      return gap.starts_with(member) && std::string_view(" .[").find(gap[member.size()]) != std::string::npos;
    };
    if (std::ranges::any_of(members, named)) found += (found.empty() ? "" : ", ") + gap;
  }
  return found;
}

}  // namespace xdpflowd

// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/layout.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include <cerrno>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "xdpflow/abi.h"

#include "census.skel.h"

namespace xdpflowd {

namespace {

/// What the rings carry: no map declares it.
constexpr const char* kRecordTypes[] = {"xf_record", "xf_event", "xf_target_event", "xf_due"};

/// Attributes of a map that a program relies on. Sizes, pinning and the like may differ.
constexpr const char* kMapNumbers[] = {"type", "map_flags", "key_size", "value_size"};
constexpr const char* kMapTypes[] = {"key", "value"};

Error malformed(const std::string& what) {
  return fail("the types in the BPF object cannot be used: " + what);
}

/// FNV-1a over a description of types that does not depend on their ids, their order or typedefs.
class TypeHash {
 public:
  explicit TypeHash(const btf* types) : types_(types) {}

  uint64_t value() const { return hash_; }

  Status add_type(uint32_t id);
  /// The struct that declares a map in section .maps.
  Status add_map(const std::string& name, uint32_t id);

  /// The type behind typedefs, const and volatile; nullptr if the id is bad.
  const btf_type* resolve(uint32_t id) const;
  std::string name_of(const btf_type* type) const { return text(type->name_off); }

 private:
  void add_number(uint64_t number);
  void add_text(std::string_view words);
  Status add_struct(const btf_type* type);
  Status add_array(const btf_type* type);
  Status add_map_member(const std::string& member, uint32_t id);

  std::string text(uint32_t offset) const {
    const char* found = btf__name_by_offset(types_, offset);
    return found ? found : "";
  }
  const btf_type* pointee(const btf_type* type) const {
    return type && btf_is_ptr(type) ? resolve(type->type) : nullptr;
  }

  const btf* types_;
  uint64_t hash_ = 0xcbf29ce484222325;
};

const btf_type* TypeHash::resolve(uint32_t id) const {
  const btf_type* type = btf__type_by_id(types_, id);
  while (type && (btf_is_mod(type) || btf_is_typedef(type))) type = btf__type_by_id(types_, type->type);
  return type;
}

void TypeHash::add_number(uint64_t number) {
  for (int byte = 0; byte < 8; ++byte) {
    hash_ ^= (number >> (8 * byte)) & 0xff;
    hash_ *= 0x100000001b3;
  }
}

void TypeHash::add_text(std::string_view words) {
  add_number(words.size());
  for (const char c : words) add_number(static_cast<unsigned char>(c));
}

Status TypeHash::add_type(uint32_t id) {
  const btf_type* type = resolve(id);
  if (!type) return malformed("no type " + std::to_string(id));
  switch (btf_kind(type)) {
    case BTF_KIND_INT:  // not the name: __u64 is spelled differently on some machines
      add_text("int");
      add_number(type->size);
      add_number(btf_int_encoding(type) & BTF_INT_SIGNED);
      return ok();
    case BTF_KIND_ENUM:
    case BTF_KIND_ENUM64:
      add_text("enum " + name_of(type));
      add_number(type->size);
      return ok();
    case BTF_KIND_ARRAY:
      return add_array(type);
    case BTF_KIND_STRUCT:
    case BTF_KIND_UNION:
      return add_struct(type);
    default:
      return malformed("\"" + name_of(type) + "\" is of kind " + std::to_string(btf_kind(type)));
  }
}

Status TypeHash::add_array(const btf_type* type) {
  const struct btf_array* array = ::btf_array(type);
  add_text("array");
  add_number(array->nelems);
  return add_type(array->type);
}

Status TypeHash::add_struct(const btf_type* type) {
  const std::string name = name_of(type);
  add_text((btf_is_union(type) ? "union " : "struct ") + name);
  add_number(type->size);
  // The kernel's own: opaque, and spelled differently by each version of its headers.
  if (name.starts_with("bpf_")) return ok();
  add_number(btf_vlen(type));
  for (uint32_t i = 0; i < btf_vlen(type); ++i) {
    const btf_member& member = btf_members(type)[i];
    add_text(text(member.name_off));
    add_number(btf_member_bit_offset(type, i));
    add_number(btf_member_bitfield_size(type, i));
    if (auto added = add_type(member.type); !added) return in_context(added.error(), name);
  }
  return ok();
}

Status TypeHash::add_map(const std::string& name, uint32_t id) {
  const btf_type* definition = resolve(id);
  if (!definition || !btf_is_struct(definition)) return malformed("map \"" + name + "\" is not a struct");
  add_text("map " + name);
  std::map<std::string, uint32_t> members;
  for (uint32_t i = 0; i < btf_vlen(definition); ++i)
    members[text(btf_members(definition)[i].name_off)] = btf_members(definition)[i].type;
  for (const auto& [member, type] : members)
    if (auto added = add_map_member(member, type); !added) return in_context(added.error(), "map " + name);
  return ok();
}

/// libbpf's notation: a number is a pointer to an array of that length, a type is a pointer to it, and
/// `values` is an array of pointers to the declaration of the inner map.
Status TypeHash::add_map_member(const std::string& member, uint32_t id) {
  const btf_type* type = resolve(id);
  if (member == "values") {
    if (!type || !btf_is_array(type)) return malformed("values");
    const btf_type* inner = resolve(::btf_array(type)->type);
    return inner && btf_is_ptr(inner) ? add_map("values", inner->type) : malformed("values");
  }
  const btf_type* target = pointee(type);
  if (!target) return malformed(member);
  for (const char* number : kMapNumbers) {
    if (member != number) continue;
    if (!btf_is_array(target)) return malformed(member);
    add_text(member);
    add_number(::btf_array(target)->nelems);
  }
  for (const char* typed : kMapTypes) {
    if (member != typed) continue;
    add_text(member);
    return add_type(type->type);
  }
  return ok();
}

/// Names and declarations of the maps, by name: the order in the source does not matter.
Result<std::map<std::string, uint32_t>> declared_maps(const btf* types, const TypeHash& reader) {
  const int section = btf__find_by_name_kind(types, ".maps", BTF_KIND_DATASEC);
  if (section < 0) return malformed("it declares no maps");
  const btf_type* maps = btf__type_by_id(types, static_cast<uint32_t>(section));
  std::map<std::string, uint32_t> found;
  for (uint32_t i = 0; i < btf_vlen(maps); ++i) {
    const btf_type* variable = reader.resolve(btf_var_secinfos(maps)[i].type);
    if (!variable || !btf_is_var(variable)) return malformed("section .maps");
    found[reader.name_of(variable)] = variable->type;
  }
  return found;
}

}  // namespace

Result<uint64_t> layout_of(const btf* types) {
  TypeHash hash(types);
  auto maps = declared_maps(types, hash);
  if (!maps) return maps.error();
  for (const auto& [name, declaration] : *maps)
    if (auto added = hash.add_map(name, declaration); !added) return added.error();
  for (const char* name : kRecordTypes) {
    const int id = btf__find_by_name_kind(types, name, BTF_KIND_STRUCT);
    if (id < 0) return malformed(std::string("no struct ") + name);
    if (auto added = hash.add_type(static_cast<uint32_t>(id)); !added) return added.error();
  }
  return hash.value();
}

OwnTypes::OwnTypes(bpf_object* object) : object_(object, &bpf_object__close) {}

const btf* OwnTypes::get() const {
  return bpf_object__btf(object_.get());
}

Result<OwnTypes> OwnTypes::read() {
  // The smallest object; all three declare all maps.
  size_t size = 0;
  const void* bytes = census_bpf::elf_bytes(&size);
  bpf_object* object = bpf_object__open_mem(bytes, size, nullptr);
  if (!object) return system_error(errno, "cannot read the embedded BPF object");
  return OwnTypes(object);
}

Result<uint64_t> layout_hash() {
  const auto types = OwnTypes::read();
  if (!types) return types.error();
  return layout_of(types->get());
}

}  // namespace xdpflowd

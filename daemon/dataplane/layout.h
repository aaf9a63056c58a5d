// SPDX-License-Identifier: GPL-2.0-or-later
// The layout version: a hash of the types of every pinned map and record. Equal hashes mean that pins can be
// shared.
#pragma once

#include <cstdint>
#include <memory>

#include "base/result.h"

struct bpf_object;
struct btf;

namespace xdpflowd {

/// Of the types in `types`, the BTF of a BPF object. Sizes of maps are no part of it: they are set at load.
Result<uint64_t> layout_of(const btf* types);

/// Of the objects in this binary: what `control.layout` has to be.
Result<uint64_t> layout_hash();

/// The types of the contract as this binary has them.
class OwnTypes {
 public:
  static Result<OwnTypes> read();
  const btf* get() const;

 private:
  explicit OwnTypes(bpf_object* object);

  std::shared_ptr<bpf_object> object_;
};

}  // namespace xdpflowd

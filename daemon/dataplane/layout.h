// SPDX-License-Identifier: GPL-2.0-or-later
// The layout version: a hash of the types of every pinned map and record. Equal hashes mean that pins can be
// shared.
#pragma once

#include <cstdint>

#include "base/result.h"

struct btf;

namespace xdpflowd {

/// Of the types in `types`, the BTF of a BPF object. Sizes of maps are no part of it: they are set at load.
Result<uint64_t> layout_of(const btf* types);

/// Of the objects in this binary: what `control.layout` has to be.
Result<uint64_t> layout_hash();

}  // namespace xdpflowd

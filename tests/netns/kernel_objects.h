// SPDX-License-Identifier: GPL-2.0-or-later
// What BPF programs and maps there are in the kernel, and what a process has open.
#pragma once

#include <sys/types.h>

#include <cstddef>

namespace xdpflowd::test {

struct KernelObjects {
  size_t programs = 0, maps = 0;

  /// Of the whole machine: nobody else may load anything meanwhile, but what earlier tests had may still go.
  static KernelObjects count();
  bool at_most(const KernelObjects& other) const { return programs <= other.programs && maps <= other.maps; }
};

size_t open_descriptors(pid_t pid);
/// Of the kernel's slabs that it cannot reclaim at will.
size_t slab_kibibytes();

}  // namespace xdpflowd::test

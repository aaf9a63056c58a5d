// SPDX-License-Identifier: GPL-2.0-or-later
// What this kernel can do, and whether we may ask it.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace xdpflowd {

struct KernelFeatures {
  std::string release;
  bool btf = false;        // without it there is no census program: tables are counted by walks
  bool sys_admin = false;  // without it libxdp cannot load its dispatcher
};

/// Refuses a kernel that lacks a helper which the data plane needs, and a process without the capabilities.
Result<KernelFeatures> check_kernel();

/// Something that a kernel may have or not.
struct Feature {
  std::string name;
  std::optional<bool> available;  // nullopt: only root may ask
  std::string meaning;            // what it is for, or what follows from its absence
};

/// What matters to xdpflowd, found out by asking this kernel.
std::vector<Feature> kernel_features();

/// For --version: "kernel 6.6.1: needed_helpers, btf".
std::string features_line();

/// "6.1.0-18-amd64"
std::string kernel_release();

/// Bit i: CAP number i. Says which are missing for the data plane, or "".
std::string missing_capabilities(uint64_t effective);

/// The names of the helpers for which `has` (a BPF_FUNC_ number -> is it there?) says no.
std::vector<std::string> missing_helpers(const std::function<bool(unsigned)>& has);

}  // namespace xdpflowd

// SPDX-License-Identifier: GPL-2.0-or-later
// Opens the embedded BPF objects and brings their maps under state_dir.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "base/unique_fd.h"
#include "settings/settings.h"

struct bpf_object;

namespace xdpflowd {

struct BpfObjectCloser {
  void operator()(bpf_object* object) const;
};
using BpfObject = std::unique_ptr<bpf_object, BpfObjectCloser>;

/// FNV-1a over the embedded objects: the same value needs no new programs.
uint64_t build_hash();

/// Of the maps that load_maps() would make.
std::vector<std::string> missing_pins(const std::string& state_dir);

/// All maps, and no program: they are pinned, and those that were pinned before are shared. The queues of a
/// first start are sized for the tables of `zones`.
Result<BpfObject> load_maps(const std::string& state_dir, uint32_t generation,
                            const std::vector<ZoneSettings>& zones);

/// The admin program over the maps of `owner`.
Result<BpfObject> load_admin(const bpf_object* owner, uint32_t generation);

/// The census program over the maps of `owner`; nullptr, with a log line that says why, if this kernel cannot
/// have it.
BpfObject load_census(const bpf_object* owner, uint32_t generation, bool kernel_has_btf);

/// The probe program over the maps of `owner`.
Result<BpfObject> load_probe(const bpf_object* owner, uint32_t generation);

/// The carry program over the maps of `owner`.
Result<BpfObject> load_carry(const bpf_object* owner, uint32_t generation);

/// The program that reads the kernel's clocks. It has no maps.
Result<BpfObject> load_clock();

/// The packet program over the maps of `owner`, opened: its first attach decides in which form it is loaded.
/// `jiffies_epoch_ns`: see jiffies.h; 0: packets ask the kernel for the time.
Result<BpfObject> open_xdpflow(const bpf_object* owner, uint32_t generation, uint64_t jiffies_epoch_ns);

/// Loads what was opened, as a plain XDP program.
Status load_as_xdp(bpf_object* object);

/// The descriptor of the one program in a loaded object; -1 before.
int program_fd(const bpf_object* object);

/// `error` of a load, with the verifier's last words in the log.
Error load_error(int code, const std::string& what);

/// Pins a program as `<state_dir>/programs/<name>`, replacing what was there at once.
Status pin_program(int program, const std::string& state_dir, const std::string& name);

}  // namespace xdpflowd

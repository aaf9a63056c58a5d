// SPDX-License-Identifier: GPL-2.0-or-later
#include "foreign_program.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>
#include <net/if.h>

#include <array>
#include <stdexcept>

namespace xdpflowd::test {

UniqueFd foreign_program() {
  const std::array<bpf_insn, 2> pass{
      {{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = XDP_PASS},
       {.code = BPF_JMP | BPF_EXIT, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0}}};
  LIBBPF_OPTS(bpf_prog_load_opts, options, .prog_flags = BPF_F_XDP_HAS_FRAGS);
  return UniqueFd(
      bpf_prog_load(BPF_PROG_TYPE_XDP, "somebody_else", "GPL", pass.data(), pass.size(), &options));
}

void attach_foreign_program(const Netns& netns, const std::string& device) {
  const auto program = foreign_program();
  netns.call([&] {
    const auto ifindex = static_cast<int>(if_nametoindex(device.c_str()));
    if (bpf_xdp_attach(ifindex, program.get(), XDP_FLAGS_DRV_MODE, nullptr) != 0)
      throw std::runtime_error("cannot attach the foreign program");
  });
}

}  // namespace xdpflowd::test

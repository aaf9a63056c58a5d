# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The lab of run-demo: client, router, server and a second gateway as network namespaces, joined by veth links.
#
#   client                    router                         server
#   198.18.1.2  c0 ---- lan0  198.18.1.1 | 198.18.2.1  wan0 ---- s0  198.18.2.2
#   2001:db8:1::2             2001:db8:1::1 | 2001:db8:2::1          2001:db8:2::2
#                                                            gateway
#                                          198.18.3.1  wan1 ---- g0  198.18.3.2
#
# The names are random, so that labs do not meet. What is on disk lies in $lab, below /run because only root writes there.

lab_prefix=/run/xdpflowd-demo-
lab_hosts="client router server gateway"

ns_name() { echo "xfd-${lab#"$lab_prefix"}-$1"; }

# A command in one of the namespaces. nsenter, for `ip netns exec` hides bpffs.
on() { nsenter --net="/run/netns/$(ns_name "$1")" "${@:2}"; }

lab_link() { # namespace, device, IPv4, IPv6
  on "$1" ip address add "$3" dev "$2"
  on "$1" ip address add "$4" dev "$2" nodad
  on "$1" ip link set "$2" up
}

lab_up() {
  local host
  lab=$(mktemp -d "${lab_prefix}XXXXXX")
  mkdir "$lab/bpf"
  mount -t bpf bpf "$lab/bpf"
  for host in $lab_hosts; do
    ip netns add "$(ns_name "$host")"
    on "$host" ip link set lo up
  done
  ip link add c0 netns "$(ns_name client)" type veth peer name lan0 netns "$(ns_name router)"
  ip link add s0 netns "$(ns_name server)" type veth peer name wan0 netns "$(ns_name router)"
  ip link add g0 netns "$(ns_name gateway)" type veth peer name wan1 netns "$(ns_name router)"
  on router sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding'
  lab_link client c0 198.18.1.2/24 2001:db8:1::2/64
  lab_link router lan0 198.18.1.1/24 2001:db8:1::1/64
  lab_link router wan0 198.18.2.1/24 2001:db8:2::1/64
  lab_link server s0 198.18.2.2/24 2001:db8:2::2/64
  lab_link router wan1 198.18.3.1/24 2001:db8:3::1/64
  lab_link gateway g0 198.18.3.2/24 2001:db8:3::2/64
  on client ip route add default via 198.18.1.1
  on client ip -6 route add default via 2001:db8:1::1
  on server ip route add default via 198.18.2.1
  on server ip -6 route add default via 2001:db8:2::1
}

# Whatever runs in the namespaces of $lab, and nothing else.
lab_pids() {
  local host
  for host in $lab_hosts; do
    ip netns pids "$(ns_name "$host")" 2>/dev/null || true
  done
}

lab_stop() {
  local pid attempt
  for pid in $(lab_pids); do kill "$pid" 2>/dev/null || true; done
  for attempt in {1..20}; do
    [[ -n $(lab_pids) ]] || return 0
    if ((attempt == 15)); then
      for pid in $(lab_pids); do kill -KILL "$pid" 2>/dev/null || true; done
    fi
    sleep 0.1
  done
}

# Removes $lab, however far it was made.
lab_down() {
  local host
  lab_stop
  for host in $lab_hosts; do
    ip netns delete "$(ns_name "$host")" 2>/dev/null || true
  done
  if mountpoint -q "$lab/bpf"; then umount "$lab/bpf"; fi
  rm -rf --one-file-system "$lab"
}

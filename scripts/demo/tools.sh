# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# How run-demo talks, checks, and handles xdpflowd. run-demo sets $root, $build and $lab, and reads $explained.
# shellcheck disable=SC2034,SC2154

# --- words ---

if [[ -t 1 ]]; then bold=$'\e[1m' green=$'\e[32m' plain=$'\e[0m'; else bold='' green='' plain=''; fi
if [[ -t 2 ]]; then red=$'\e[31m' red_end=$'\e[0m'; else red='' red_end=''; fi

step() { printf '\n%s== %s ==%s\n\n' "$bold" "$1" "$plain"; }
say() { printf '%s\n' "$@"; }
ok() { printf '%sok%s  %s\n' "$green" "$plain" "$1"; }

explained=no
die() {
  explained=yes
  printf '%srun-demo: %s%s\n' "$red" "$1" "$red_end" >&2
  exit "${2:-1}"
}

# What is typed on the router, and what it prints.
prompt() { printf '%srouter# %s%s\n' "$bold" "$*" "$plain"; }
show() {
  prompt "$@"
  "$@"
  echo
}

# check SENTENCE COMMAND...: prints the sentence as true, or dies with it as not true.
check() {
  local sentence=$1
  shift
  if "$@"; then
    ok "$sentence"
    return
  fi
  if [[ -s $lab/daemon.log ]]; then tail -n 5 "$lab/daemon.log" >&2; fi
  die "this should be true, and is not: $sentence"
}

# wait_for SECONDS COMMAND...
wait_for() {
  local until_s=$((SECONDS + $1 + 1))
  shift
  until "$@"; do
    ((SECONDS < until_s)) || return 1
    sleep 0.05
  done
}

# --- the router's daemon ---

xdpflowctl() { on router "$build/daemon/ctl/xdpflowctl" --state-dir "$lab/bpf/xdpflowd" "$@"; }

write_config() {
  cat >"$lab/xdpflowd.toml" <<END
[daemon]
state_dir = "$lab/bpf/xdpflowd"

[records]
file = "$lab/records"

[zone.default]
max_flows = 65_536
max_half_open = 16_384

[[interface]]
name = "lan0"

[[interface]]
name = "wan0"

[[interface]]
name = "wan1"

[timeouts]
udp = "2s"      # not 30s: who watches should not have to wait

[[target]]
name = "gw-a"
address = "198.18.2.2"
interval = "500ms"
timeout = "200ms"

[[target]]
name = "gw-b"
address = "198.18.3.2"
interval = "500ms"
timeout = "200ms"
on_change = ["/bin/sh", "-c", "echo \$XDPFLOWD_TARGET \$XDPFLOWD_OLD \$XDPFLOWD_NEW >>$lab/hook"]
END
}

in_log() { grep -q -- "$1" "$lab/daemon.log"; }
is_ready_or_dead() { in_log ' is ready: ' || ! kill -0 "$daemon" 2>/dev/null; }

# Sets $daemon. Where libxdp can use its dispatcher, it pins it in the lab's bpffs and not in the system's.
start_daemon() {
  : >"$lab/daemon.log"
  LIBXDP_BPFFS=$lab/bpf setsid nsenter --net="/run/netns/$(ns_name router)" \
    "$build/daemon/xdpflowd" --config "$lab/xdpflowd.toml" >"$lab/daemon.log" 2>&1 </dev/null &
  daemon=$!
  wait_for 60 is_ready_or_dead || true
  if in_log ' is ready: '; then return; fi
  cat "$lab/daemon.log" >&2
  die "xdpflowd did not start"
}

# --- what it knows ---

# Does a flow in the snapshot meet jq's condition?
seen() { jq -e "any(.[]; $1)" "$lab/flows" >/dev/null; }
seen_both() { seen "$1" && seen "$2"; }
take_snapshot() { xdpflowctl flows --json >"$lab/flows"; }
seen_now() { take_snapshot && seen "$1"; }
is_gone() { ! seen_now "$1"; }

# A number of the one flow in the snapshot that meets a condition.
of_flow() { jq "[.[] | select($1)][0] | $2" "$lab/flows"; }

record_of() { grep "\"source_port\":$1," "$lab/records"; }
has_record() { record_of "$1" >/dev/null; }

# Milliseconds from a moment (Unix ns) to the end in the record of the flow with that source port.
ms_to_end() {
  local end
  end=$(record_of "$1" | jq -r .end)
  echo $((($(date --date="$end" +%s%N) - $2) / 1000000))
}

# Is the target ($1) in that state ($2)?
target_is() {
  xdpflowctl targets --json | jq -e --arg name "$1" --arg state "$2" 'any(.[]; .name == $name and .state == $state)' >/dev/null
}
both_are() { target_is gw-a "$1" && target_is gw-b "$1"; }
metric_is() { metrics | grep -qxF -- "$1"; }
hook_said() { grep -qxF -- "$1" "$lab/hook"; }

metrics() { on router curl -sS --max-time 5 http://127.0.0.1:9742/metrics; }

# The sum of the samples of a metric ($1) in a file ($2).
sum_of() { awk -v name="$1" '{ split($1, part, "{") } part[1] == name { sum += $2 } END { printf "%.0f", sum }' "$2"; }

# --- the ends of the conversations ---

peers=$root/scripts/demo/peers.py

start_server() {
  setsid nsenter --net="/run/netns/$(ns_name server)" python3 "$peers" serve >"$lab/server.log" 2>&1 </dev/null &
  wait_for 40 on server curl -s -o /dev/null http://127.0.0.1/1 || die "the lab's web server did not start"
}

# A TCP connection that stays open, with --keep too: a line written to held.in is a request.
start_held_connection() {
  mkfifo "$lab/held.in"
  : >"$lab/held.out"
  setsid nsenter --net="/run/netns/$(ns_name client)" python3 "$peers" hold 2001:db8:2::2 \
    <>"$lab/held.in" >"$lab/held.out" 2>&1 &
}

answers() { grep -c '^200$' "$lab/held.out" || true; }
has_answers() { (($(answers) >= $1)); }

ask_held_connection() {
  local before
  before=$(answers)
  echo >"$lab/held.in"
  wait_for 20 has_answers $((before + 1))
}

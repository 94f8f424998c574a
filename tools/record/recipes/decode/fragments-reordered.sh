#!/usr/bin/env bash
# shows: Fragments that arrive out of order, twice, or not at all.
# programs: ping, tc, linux.uml
# kernel: uml
# check: ip.flags.mf == 1; ip.frag_offset > 0
set -euo pipefail
client tc qdisc add dev eth0 root netem delay 2ms reorder 40% 50% duplicate 20% loss 5%
capture
client ping -c 5 -i 0.1 -W 1 -s 3500 10.1.0.20 || true
client ping -c 5 -i 0.1 -W 1 -s 3500 2001:db8:1::20 || true

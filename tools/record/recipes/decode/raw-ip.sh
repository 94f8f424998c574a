#!/usr/bin/env bash
# shows: Packets without a link layer (raw IP), as on a tunnel interface.
# programs: tcpdump, ping, curl, python3, linux.uml
# kernel: uml
# check: raw and tcp
set -euo pipefail
source "$TOOLS/lib/talk.sh"
start_talk
client ip link add tun type ipip local 10.1.0.10 remote 10.1.0.20
server ip link add tun type ipip local 10.1.0.20 remote 10.1.0.10
client ip link set tun up
server ip link set tun up
client ip address add 10.9.0.1/24 dev tun
server ip address add 10.9.0.2/24 dev tun
capture server tun
talk 10.9.0.2

#!/usr/bin/env bash
# shows: Ethernet frames in GENEVE, network 42.
# programs: ping, curl, python3, linux.uml
# kernel: uml
# check: geneve.vni == 42 and tcp
set -euo pipefail
source "$TOOLS/lib/talk.sh"
start_talk
client ip link add tun type geneve id 42 remote 10.1.0.20
server ip link add tun type geneve id 42 remote 10.1.0.10
client ip link set tun up
server ip link set tun up
client ip address add 10.9.0.1/24 dev tun
server ip address add 10.9.0.2/24 dev tun
client ip address add 2001:db8:9::1/64 dev tun nodad
server ip address add 2001:db8:9::2/64 dev tun nodad
sleep 1.5
capture
talk 10.9.0.2
talk 2001:db8:9::2

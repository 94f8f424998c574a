#!/usr/bin/env bash
# shows: IPv6 in IPv4 (sit).
# programs: ping, curl, python3, linux.uml
# kernel: uml
# check: ip.proto == 41 and ipv6 and tcp
set -euo pipefail
source "$TOOLS/lib/talk.sh"
start_talk
client ip link add tun type sit local 10.1.0.10 remote 10.1.0.20
server ip link add tun type sit local 10.1.0.20 remote 10.1.0.10
client ip link set tun up
server ip link set tun up
client ip address add 2001:db8:9::1/64 dev tun nodad
server ip address add 2001:db8:9::2/64 dev tun nodad
sleep 1.5
capture
talk 2001:db8:9::2

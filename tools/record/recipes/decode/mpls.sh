#!/usr/bin/env bash
# shows: IPv4 and IPv6 under one and under two MPLS labels.
# programs: ping, curl, python3, linux.uml
# kernel: uml
# check: mpls.label == 100 and tcp; mpls.label == 300 and mpls.bottom == 1
set -euo pipefail
source "$TOOLS/lib/talk.sh"
start_talk
modprobe() { /sbin/modprobe -d /run/uml "$@"; }
modprobe mpls_router
modprobe mpls_iptunnel
for host in client server; do
    on $host sysctl -q -w net.mpls.platform_labels=1000 net.mpls.conf.eth0.input=1 net.mpls.conf.lo.input=1
done
client ip address add 10.9.0.1/32 dev lo
server ip address add 10.9.0.2/32 dev lo
client ip address add 10.9.0.3/32 dev lo
client ip address add 2001:db8:9::1/128 dev lo
server ip address add 2001:db8:9::2/128 dev lo
client ip route add 10.9.0.2/32 encap mpls 100 via 10.1.0.20 src 10.9.0.1
server ip route add 10.9.0.1/32 encap mpls 200/300 via 10.1.0.10 src 10.9.0.2
client ip route add 2001:db8:9::2/128 encap mpls 100 via 2001:db8:1::20 src 2001:db8:9::1
server ip route add 2001:db8:9::1/128 encap mpls 200/300 via 2001:db8:1::10 src 2001:db8:9::2
server ip -f mpls route add 100 dev lo
client ip -f mpls route add 200 dev lo
client ip -f mpls route add 300 dev lo
sleep 1.5
capture
talk 10.9.0.2
talk 2001:db8:9::2

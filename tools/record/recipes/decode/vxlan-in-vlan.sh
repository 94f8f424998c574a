#!/usr/bin/env bash
# shows: Three layers: an IPv4 packet in Ethernet in VXLAN in a VLAN.
# programs: ping, curl, python3, linux.uml
# kernel: uml
# check: vlan.id == 7 and vxlan.vni == 42 and tcp
set -euo pipefail
source "$TOOLS/lib/talk.sh"
start_talk
for host in client server; do
    [[ $host = client ]] && here=1 there=2 || here=2 there=1
    on $host ip link add link eth0 name tag type vlan id 7
    on $host ip link set tag up
    on $host ip address add 10.7.0.$here/24 dev tag
    on $host ip link add tun type vxlan id 42 dstport 4789 local 10.7.0.$here remote 10.7.0.$there
    on $host ip link set tun up
    on $host ip address add 10.9.0.$here/24 dev tun
done
sleep 1.5
capture
talk 10.9.0.2

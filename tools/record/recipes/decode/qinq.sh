#!/usr/bin/env bash
# shows: Frames with two tags: service VLAN 100 (802.1ad), customer VLAN 7.
# programs: ping, curl, python3, linux.uml
# kernel: uml
# check: (vlan.id == 100 or ieee8021ad.id == 100) and tcp
set -euo pipefail
source "$TOOLS/lib/talk.sh"
start_talk
for host in client server; do
    on $host ip link add link eth0 name outer type vlan proto 802.1ad id 100
    on $host ip link set outer up
done
client ip link add link outer name tun type vlan id 7
server ip link add link outer name tun type vlan id 7
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

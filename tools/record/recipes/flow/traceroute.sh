#!/usr/bin/env bash
# shows: A route traced by UDP, ICMP and TCP through a router, IPv4 and IPv6: time exceeded, port
#        unreachable.
# programs: traceroute
# check: icmp.type == 11; icmp.type == 3; icmpv6.type == 3; icmpv6.type == 1; tcp.flags.syn == 1 and ip.ttl
#        == 1
set -euo pipefail
# The server becomes a router with a host behind it.
ip netns add far
ip link add eth1 netns server type veth peer name eth0 netns far
server ip link set eth1 up
server ip address add 10.1.1.1/24 dev eth1
server ip address add 2001:db8:2::1/64 dev eth1 nodad
on far ip link set eth0 up
on far ip address add 10.1.1.30/24 dev eth0
on far ip address add 2001:db8:2::30/64 dev eth0 nodad
on far ip route add default via 10.1.1.1
on far ip -6 route add default via 2001:db8:2::1
server sysctl -q -w net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv4.icmp_ratelimit=0
on far sysctl -q -w net.ipv4.icmp_ratelimit=0
client ip route add 10.1.1.0/24 via 10.1.0.20
client ip -6 route add 2001:db8:2::/64 via 2001:db8:1::20
sleep 1.5
capture
client traceroute -n -w 1 -m 4 10.1.1.30
client traceroute -n -w 1 -m 4 -I 10.1.1.30
client traceroute -n -w 1 -m 4 -T -p 80 10.1.1.30
client traceroute -6 -n -w 1 -m 4 2001:db8:2::30

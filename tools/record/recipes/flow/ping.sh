#!/usr/bin/env bash
# shows: Echo requests and replies, IPv4 and IPv6, and one to an address where nobody answers ARP.
# programs: ping
# check: icmp.type == 0; icmpv6.type == 129; arp.dst.proto_ipv4 == 10.1.0.99
set -euo pipefail
capture
client ping -c 3 -i 0.2 10.1.0.20
client ping -c 3 -i 0.2 2001:db8:1::20
client ping -c 1 -W 1 10.1.0.99 || true

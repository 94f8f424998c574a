#!/usr/bin/env bash
# shows: Echo of 4,000 bytes in IP fragments, IPv4 and IPv6, and UDP datagrams of 5,000 bytes in fragments.
# programs: ping, socat
# check: ip.flags.mf == 1; ipv6.fraghdr.offset > 0; udp.length == 5008
set -euo pipefail
start server socat -b 65000 UDP4-LISTEN:7,fork SYSTEM:cat
start server socat -b 65000 UDP6-LISTEN:7,fork,ipv6only SYSTEM:cat
sleep 0.3
capture
client ping -c 2 -i 0.2 -s 4000 10.1.0.20
client ping -c 2 -i 0.2 -s 4000 2001:db8:1::20
head -c 5000 /dev/zero | tr '\0' x | client socat -b 5000 -t 0.5 - UDP4:10.1.0.20:7
head -c 5000 /dev/zero | tr '\0' y | client socat -b 5000 -t 0.5 - UDP6:'[2001:db8:1::20]':7

#!/usr/bin/env bash
# shows: UDP datagrams both ways, one way only, empty ones, and to a closed port, IPv4 and IPv6, and a
#        broadcast.
# programs: socat
# check: udp.length == 8; icmpv6.type == 1; eth.dst == ff:ff:ff:ff:ff:ff and udp
set -euo pipefail
start server socat UDP4-LISTEN:7,fork SYSTEM:cat
start server socat UDP6-LISTEN:9,fork,ipv6only SYSTEM:cat
wait_udp server 7
capture
for line in one two three; do echo $line | client socat -t 0.3 - UDP4:10.1.0.20:7,sourceport=40000; done
echo six | client socat -t 0.3 - UDP6:'[2001:db8:1::20]':9
echo lost | client socat -t 0.3 - UDP6:'[2001:db8:1::20]':11 || true
echo all | client socat -t 0.3 - UDP4-DATAGRAM:10.1.0.255:9999,broadcast
client python3 -c 'import socket; s = socket.socket(type=socket.SOCK_DGRAM); s.sendto(b"", ("10.1.0.20", 7))'

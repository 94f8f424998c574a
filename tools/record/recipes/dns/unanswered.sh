#!/usr/bin/env bash
# shows: A query sent three times to a host that never answers, one to a port where nothing listens (ICMP
#        port unreachable), then one that is answered.
# programs: dig, named
# check: icmp.type == 3 and icmp.code == 3; dns.retransmit_request or (dns and ip.dst == 10.1.0.20)
set -euo pipefail
source "$TOOLS/lib/named.sh"
start_named
server ip address add 10.1.0.53/24 dev eth0
server nft add table ip t
server nft add chain ip t in '{ type filter hook input priority 0; }'
server nft add rule ip t in ip daddr 10.1.0.53 udp dport 53 drop
capture

expect_failure client dig @10.1.0.53 +time=1 +tries=3 www.example.test A
expect_failure client dig @10.1.0.20 -p 54 +time=1 +tries=1 www.example.test A
client dig @10.1.0.20 +tries=1 www.example.test A

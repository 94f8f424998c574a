#!/usr/bin/env bash
# shows: Queries over IPv6, by UDP and by TCP.
# programs: dig, named
# check: ipv6 and udp and dns.flags.response == 1; ipv6 and tcp and dns.flags.response == 1
set -euo pipefail
source "$TOOLS/lib/named.sh"
start_named
capture

client dig @2001:db8:1::20 +tries=1 www.example.test AAAA
client dig @2001:db8:1::20 +tries=1 -x 2001:db8:1::20
client dig @2001:db8:1::20 +tcp +tries=1 example.test MX

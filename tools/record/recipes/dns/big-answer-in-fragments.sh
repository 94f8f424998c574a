#!/usr/bin/env bash
# shows: An answer of 3 kB over UDP that arrives as IP fragments, over IPv4 and IPv6, and one that just
#        fits.
# programs: dig, named
# check: dns.count.answers == 95; ip.flags.mf == 1; ipv6.fraghdr.more == 1
set -euo pipefail
source "$TOOLS/lib/named.sh"
start_named 'max-udp-size 4096;'
capture

client dig @10.1.0.20 +tries=1 +ignore +bufsize=4096 crowd.example.test AAAA
client dig @2001:db8:1::20 +tries=1 +ignore +bufsize=4096 crowd.example.test AAAA
client dig @10.1.0.20 +tries=1 +bufsize=4096 many.example.test A

#!/usr/bin/env bash
# shows: DNS on port 5300 and on port 443, over UDP and TCP: to be recognised by content, not by port.
# programs: dig, named
# decode: udp.port==5300,dns udp.port==443,dns tcp.port==5300,dns
# check: udp.port == 5300 and dns.count.answers > 0; tcp.port == 5300 and dns.count.answers > 0; udp.port ==
#        443 and dns
set -euo pipefail
source "$TOOLS/lib/named.sh"
start_named 'listen-on port 5300 { any; }; listen-on port 443 { any; };'
capture

client dig @10.1.0.20 -p 5300 +tries=1 www.example.test A
client dig @10.1.0.20 -p 5300 +tries=1 +tcp alias.example.test A
client dig @10.1.0.20 -p 443 +tries=1 example.test TXT

#!/usr/bin/env bash
# shows: An alias that leads through three CNAME records to two addresses, one that leads outside the zone,
#        and a DNAME.
# programs: dig, named
# check: dns.count.answers == 5; dns.resp.type == 39
set -euo pipefail
source "$TOOLS/lib/named.sh"
start_named
capture

client dig @10.1.0.20 +tries=1 alias.example.test A
client dig @10.1.0.20 +tries=1 outside.example.test A
client dig @10.1.0.20 +tries=1 host.sub.example.test A

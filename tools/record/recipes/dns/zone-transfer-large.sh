#!/usr/bin/env bash
# shows: A whole zone of several hundred records transferred in a few large TCP messages.
# programs: dig, named
# check: dns.qry.type == 252 and dns.count.answers > 100
set -euo pipefail
source "$TOOLS/lib/named.sh"
start_named
capture

client dig @10.1.0.20 +tries=1 example.test AXFR

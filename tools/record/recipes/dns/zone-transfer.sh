#!/usr/bin/env bash
# shows: A zone transfer (AXFR) of several messages in one TCP connection, an incremental one (IXFR), and
#        one of a zone that the server does not have.
# programs: dig, named
# check: dns.qry.type == 252; dns.qry.type == 251; dns.flags.rcode == 5 or dns.flags.rcode == 9
set -euo pipefail
source "$TOOLS/lib/named.sh"
start_named 'transfer-format one-answer;'
capture

client dig @10.1.0.20 +tries=1 signed.example.test AXFR
client dig @10.1.0.20 +tries=1 0.1.10.in-addr.arpa IXFR=0
client dig @10.1.0.20 +tries=1 elsewhere.test AXFR

#!/usr/bin/env bash
# shows: One download over a link that loses, doubles and reorders packets: retransmissions, duplicate
#        acknowledgements, SACK.
# programs: curl, python3, tc, linux.uml
# kernel: uml
# check: tcp.analysis.lost_segment or tcp.analysis.out_of_order or tcp.analysis.retransmission;
#        tcp.analysis.duplicate_ack; tcp.options.sack_le
set -euo pipefail
mkdir "$WORK/www"
seq 1 10000 > "$WORK/www/numbers.txt"
start server python3 -m http.server -d "$WORK/www" 80
wait_tcp server 80
server tc qdisc add dev eth0 root netem delay 4ms 3ms loss 10% duplicate 3%
# Captured at the client, after the loss.
capture client
client curl -sS -m 30 -o "$WORK/got" http://10.1.0.20/numbers.txt
cmp "$WORK/got" "$WORK/www/numbers.txt"

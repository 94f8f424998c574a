#!/usr/bin/env bash
# shows: A capture compressed with lz4.
# programs: tcpdump, ping, lz4
# suffix: .pcap.lz4
set -euo pipefail
final=$OUT
OUT=$WORK/plain.pcap
capture
client ping -c 3 -i 0.2 10.1.0.20
end_capture
lz4 -c "$OUT" > "$final"

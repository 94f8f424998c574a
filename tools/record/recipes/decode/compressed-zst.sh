#!/usr/bin/env bash
# shows: A capture compressed with zstd.
# programs: tcpdump, ping, zstd
# suffix: .pcap.zst
set -euo pipefail
final=$OUT
OUT=$WORK/plain.pcap
capture
client ping -c 3 -i 0.2 10.1.0.20
end_capture
zstd -c "$OUT" > "$final"

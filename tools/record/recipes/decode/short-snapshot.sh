#!/usr/bin/env bash
# shows: Frames cut off at 96 bytes by the capture: less was kept than was on the wire.
# programs: tcpdump, curl, python3
# check: frame.cap_len < frame.len
set -euo pipefail
source "$TOOLS/lib/talk.sh"
start_talk
seq 1 2000 > "$WORK/www/numbers.txt"
capture server eth0 -s 96
client curl -sS -o "$WORK/got" http://10.1.0.20/numbers.txt

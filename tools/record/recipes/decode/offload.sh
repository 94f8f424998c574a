#!/usr/bin/env bash
# shows: What a capture on a busy server shows: segmentation left to the network card, so frames of 10 kB
#        and more and checksums not yet filled in.
# programs: tcpdump, curl, python3
# check: tcp.len > 3000
set -euo pipefail
source "$TOOLS/lib/talk.sh"
start_talk
seq 1 8000 > "$WORK/www/numbers.txt"
server ethtool -K eth0 tx on sg on tso on gso on > /dev/null
capture server
client curl -sS -o "$WORK/got" http://10.1.0.20/numbers.txt

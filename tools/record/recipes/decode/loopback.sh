#!/usr/bin/env bash
# shows: Client and server on one host: no real Ethernet addresses, checksums left to be filled in, segments
#        far larger than any frame.
# programs: tcpdump, ping, curl, python3
# check: tcp.len > 9000; ipv6.dst == ::1
set -euo pipefail
source "$TOOLS/lib/talk.sh"
start_talk
seq 1 8000 > "$WORK/www/numbers.txt"
capture server lo
server ping -c 1 127.0.0.1
server curl -sS -o "$WORK/got" http://127.0.0.1/numbers.txt
server curl -sS "http://[::1]/hello.txt"

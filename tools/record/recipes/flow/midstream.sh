#!/usr/bin/env bash
# shows: A connection whose beginning was missed: the capture starts after its handshake, data follows, it
#        closes.
# programs: ncat, socat
# check: tcp.len > 0
set -euo pipefail
start server socat TCP-LISTEN:7000,reuseaddr SYSTEM:cat
wait_tcp server 7000
mkfifo "$WORK/in"
start client bash -c "ncat 10.1.0.20 7000 < '$WORK/in' > '$WORK/answer'"
exec 9> "$WORK/in"
echo "before the capture" >&9
wait_for says "$WORK/answer" before
capture
echo "first line that is seen" >&9
sleep 0.3
echo "second line" >&9
sleep 0.3
exec 9>&-
sleep 1
